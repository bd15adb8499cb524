#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace mixop {

/// A file that is only ever appended to. Every failure throws `failed` and names the file.
class AppendFile {
 public:
  /// Keeps the first `keep` bytes of what is there, cuts the rest off, and creates the file where there is none.
  AppendFile(std::filesystem::path path, std::int64_t keep);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void append(std::string_view bytes);
  /// Returns when all of it is on disk.
  void sync();

 private:
  [[noreturn]] void fail(const char* step) const;

  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace mixop
