#include "host/files/descriptor.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace mixop {

Descriptor::~Descriptor() {
  if (value_ >= 0) ::close(value_);
}

bool is_full(int problem) { return problem == ENOSPC || problem == EDQUOT || problem == EFBIG; }

void fail_step(const std::string& path, const std::string& step, int problem, ErrorCode code) {
  throw Error(code, path + ": " + step + " failed: " + std::strerror(problem) +
                        (is_full(problem) ? "; free some space, or write to another place" : ""));
}

void write_all(int descriptor, std::span<const std::byte> content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written =
        repeated([&] { return ::write(descriptor, content.data(), std::min(content.size(), kLargestTransfer)); });
    if (written < 0) fail_step(path, "writing", errno);
    content = content.subspan(static_cast<std::size_t>(written));
  }
}

bool is_single_file(int descriptor) {
  struct stat info {};
  return ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink <= 1;
}

}  // namespace mixop
