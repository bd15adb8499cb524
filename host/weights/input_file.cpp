#include "host/weights/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace mixop {

InputFile::InputFile(const std::filesystem::path& path)
    : name_(path.string()), file_(repeated([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); })) {
  if (file_.get() < 0) fail_step(name_, "opening", errno, ErrorCode::bad_data);
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail_step(name_, "opening", errno, ErrorCode::bad_data);
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorCode::bad_data, name_ + ": expected a file of weights, found a folder, pipe or device");
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> to) const {
  if (offset > size_ || to.size() > size_ - offset)
    throw Error(ErrorCode::bad_data, name_ + ": ends early: bytes " + std::to_string(offset) + " to " +
                                         std::to_string(offset + to.size()) + " are expected, and it has " +
                                         std::to_string(size_));
  while (!to.empty()) {
    const std::size_t most = std::min(to.size(), kLargestTransfer);
    const auto got = repeated([&] { return ::pread(file_.get(), to.data(), most, static_cast<off_t>(offset)); });
    if (got < 0) fail_step(name_, "reading", errno, ErrorCode::bad_data);
    if (got == 0) throw Error(ErrorCode::bad_data, name_ + ": became shorter while it was read");
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

std::vector<std::byte> InputFile::read(std::uint64_t offset, std::uint64_t count) const {
  if (offset > size_ || count > size_ - offset)
    read(offset, std::span<std::byte>(static_cast<std::byte*>(nullptr), count));
  std::vector<std::byte> bytes(count);
  read(offset, bytes);
  return bytes;
}

}  // namespace mixop
