#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "mixop/error.hpp"

namespace mixop {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

/// Linux moves at most this much in one call.
inline constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

/// Repeats a call as long as signals interrupt it.
template <class Call>
auto repeated(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Throws "PATH: STEP failed: " with the reason of an errno, and what helps where the disk is full.
[[noreturn]] void fail_step(const std::string& path, const std::string& step, int problem,
                            ErrorCode code = ErrorCode::failed);

/// Whether there is no room for a file, by its errno.
bool is_full(int problem);

/// Writes all of it; `path` is for messages.
void write_all(int descriptor, std::span<const std::byte> content, const std::string& path);

/// Whether an open file is a regular one with one name: what is written to it lands nowhere else.
bool is_single_file(int descriptor);

}  // namespace mixop
