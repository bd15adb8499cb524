#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "mixop/error.hpp"

namespace mixop::imagenet {

/// Refuses a file's or folder's content: "PATH: what".
[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what);

/// The whole of a file of 1 byte to 256 MiB. Throws bad_data for its size and failed where it cannot be read.
std::vector<std::uint8_t> read_whole(const std::filesystem::path& path);

/// The lines of a text file, without line ends and without empty lines at the end.
std::vector<std::string> lines_of(const std::filesystem::path& path);

}  // namespace mixop::imagenet
