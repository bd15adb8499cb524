#pragma once

#include <cstdint>
#include <filesystem>

namespace mixop {

/// A file's time and size: an archive is replaced by another file each time.
struct FileVersion {
  std::filesystem::file_time_type time{};
  std::uintmax_t size = 0;
  friend bool operator==(const FileVersion&, const FileVersion&) = default;
};

/// Of a file that may be gone, as one that no file has.
inline FileVersion version_of(const std::filesystem::path& file) {
  std::error_code none;
  return {std::filesystem::last_write_time(file, none), std::filesystem::file_size(file, none)};
}

}  // namespace mixop
