#pragma once

#include <filesystem>
#include <string>

namespace mixop {

/// Throws usage where `file` is a folder.
void require_no_folder(const std::filesystem::path& file);

/// Writes a whole file; throws usage where it cannot be written.
void write_text(const std::string& text, const std::filesystem::path& file);

}  // namespace mixop
