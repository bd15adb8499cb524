#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace mixop {

/// Why others than root and this user may change a file or folder, as the end of a sentence that begins with its name:
/// "belongs to user 4711; ..." or "is writable by everybody (mode 0777). ..."; empty where they may not.
std::string changed_by_others(const struct stat& info, const std::filesystem::path& what);

/// The same of the folders from the root down to `folder`, with its name; links are resolved first. In a sticky folder
/// above `folder` others may make files but cannot touch what is there.
std::string folders_changed_by_others(const std::filesystem::path& folder);

}  // namespace mixop
