#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace mixop {

/// The bytes of a regular file; nothing where it cannot be read.
std::optional<std::string> whole_file(const std::filesystem::path& path);

}  // namespace mixop
