#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "host/files/descriptor.hpp"

namespace mixop {

/// A file that takes another's place once it is whole. It is made anew beside its target, as TARGET.<16 digits>.tmp
/// with digits that nobody can foresee, so that no file, link or pipe that is there is ever written through; it has the
/// mode of the file that it replaces, and is gone again unless it took the place.
class NewFile {
 public:
  /// Throws an Error of `code` where none can be made, failed where the disk is the reason.
  explicit NewFile(const std::filesystem::path& target, ErrorCode code = ErrorCode::failed);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  const std::string& path() const { return path_; }
  void write(std::span<const std::byte> content);
  /// Returns when all of it is on disk.
  void sync();
  /// Closes it and has it take the target's place.
  void replace_target();

 private:
  std::string target_, path_;
  Descriptor file_;
};

/// A name beside `target` of the pattern above.
std::string temporary_name(const std::filesystem::path& target);

/// Removes the files of that pattern beside `target` that nobody holds any more: what killed programs left.
void remove_leftovers(const std::filesystem::path& target);

}  // namespace mixop
