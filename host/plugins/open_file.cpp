#include "host/plugins/open_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace mixop {

OpenFile::OpenFile(const std::filesystem::path& path)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)) {}

OpenFile::~OpenFile() {
  if (descriptor_ >= 0 && !kept_) ::close(descriptor_);
}

std::vector<std::byte> OpenFile::read(std::size_t size) const {
  std::vector<std::byte> bytes(size);
  std::size_t done = 0;
  errno = 0;
  while (done < size) {
    const ssize_t count = ::pread(descriptor_, bytes.data() + done, size - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

// By the process's number, so that debuggers and symbolizers find it, too.
std::string OpenFile::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor_);
}

}  // namespace mixop
