#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mixop {

/// The NAME.json of these folders by NAME: regular files with a plain name that not everybody may write; the first
/// folder that has a name decides. A folder that cannot be read is a usage error; `what` names it, "the folder of
/// presets".
std::map<std::string, std::filesystem::path> named_files(const std::vector<std::filesystem::path>& folders,
                                                         const std::string& what);

}  // namespace mixop
