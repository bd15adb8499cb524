#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace mixop {

/// A file that was opened once, whatever its path names later. Closes itself unless it is kept.
class OpenFile {
 public:
  /// Does not follow a link as the last part of the path. `descriptor` is negative where it cannot be opened, with
  /// errno.
  explicit OpenFile(const std::filesystem::path& path);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int descriptor() const { return descriptor_; }
  /// All bytes of a file of that size; fewer where it became shorter, or where reading fails, with errno.
  std::vector<std::byte> read(std::size_t size) const;
  /// A path to this very file, for as long as it is open.
  std::string path() const;
  /// Stays open until the process ends: the loader takes a library of the same path for one that it has loaded.
  void keep() { kept_ = true; }

 private:
  int descriptor_;
  bool kept_ = false;
};

}  // namespace mixop
