#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mixop/error.hpp"

namespace mixop::cifar {

/// Refuses a file's content: "PATH: what".
[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what);

/// The whole of a regular file of 1 byte to 2 GiB. Throws bad_data naming it.
std::vector<std::uint8_t> read_whole(const std::filesystem::path& path);

/// Text from a file as a message or a picture can show it: printable ASCII, others as '?', at most 60 characters.
std::string printable(std::string_view text);

}  // namespace mixop::cifar
