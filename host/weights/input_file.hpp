#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "host/files/descriptor.hpp"

namespace mixop {

/// A regular file that is read in places. Throws bad_data that begins with its path.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }
  int descriptor() const { return file_.get(); }
  /// Bytes from `offset` on, all of which must be there.
  void read(std::uint64_t offset, std::span<std::byte> to) const;
  std::vector<std::byte> read(std::uint64_t offset, std::uint64_t count) const;

 private:
  std::string name_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace mixop
