#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "mixop/error.hpp"

namespace mixop {

/// The text of a file or a pipe, at most 32 MiB, without a byte-order mark. What cannot be read, has more, or is UTF-16
/// is an error of `code`.
std::string read_plain_text(const std::filesystem::path& path, ErrorCode code);

/// Whether a path with a folder in it names what can be read once alone: a pipe, a terminal.
bool is_pipe(const std::string& path);

/// What the beginning of a text shows it to be, where mixop reads no such thing: "YAML", "a ZIP archive ..."; empty
/// otherwise.
std::string foreign_format(std::string_view text);

}  // namespace mixop
