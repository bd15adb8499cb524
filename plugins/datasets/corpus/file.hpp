#pragma once

#include <filesystem>
#include <string>

#include "mixop/error.hpp"

namespace mixop::corpus {

/// Refuses a file's content: "PATH: what".
[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what);

/// The whole of a regular file of 1 byte to 2 GiB. Throws bad_data naming it.
std::string read_whole(const std::filesystem::path& path);

}  // namespace mixop::corpus
