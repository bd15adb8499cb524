#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "host/files/descriptor.hpp"

namespace mixop {

/// A file that is only ever appended to. Every failure throws an Error that names the file; nothing is ever written to
/// another file through a link.
class AppendFile {
 public:
  /// A file that was not there before.
  static AppendFile anew(std::filesystem::path path);
  /// The first `keep` bytes of a file that is there; the rest is cut off. Throws usage where it is not a regular file
  /// of one name.
  static AppendFile cut(std::filesystem::path path, std::int64_t keep);

  void append(std::string_view bytes);
  /// Returns when all of it is on disk.
  void sync();

 private:
  AppendFile(std::filesystem::path path, int flags);
  [[noreturn]] void fail(const char* step) const;

  std::filesystem::path path_;
  Descriptor file_;
};

}  // namespace mixop
