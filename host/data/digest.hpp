#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "host/data/dataset_handle.hpp"

namespace mixop {

/// SHA-256 as 64 lower-case hex digits.
std::string sha256_of_text(std::string_view text);
/// Of a file's content. Throws bad_data where it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

/// The digest of a data set: SHA-256 over one line `component.option=value` an option, then one line
/// `<sha256>  <file name>` a file, as `sha256sum` prints them; drawn data has its component's name as the first line.
std::string dataset_digest(const DatasetHandle& data);

}  // namespace mixop
