#include "host/metrics/append_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "mixop/error.hpp"

namespace mixop {

AppendFile::AppendFile(std::filesystem::path path, std::int64_t keep)
    : path_(std::move(path)), descriptor_(open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644)) {
  if (descriptor_ < 0)  // nobody reads a pipe, among others
    throw Error(ErrorCode::usage, path_.string() + ": the file of metrics cannot be opened: " + std::strerror(errno) +
                                      "; name another place for it");
  if (ftruncate(descriptor_, keep) != 0 || lseek(descriptor_, 0, SEEK_END) < 0) {
    const int problem = errno;
    close(descriptor_);
    errno = problem;
    fail("cut to its length");
  }
}

AppendFile::~AppendFile() { close(descriptor_); }

void AppendFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("written");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void AppendFile::sync() {
  if (fdatasync(descriptor_) != 0) fail("synced");
}

void AppendFile::fail(const char* step) const {
  throw Error(ErrorCode::failed, path_.string() + ": the file of metrics cannot be " + step + ": " +
                                     std::strerror(errno) + "; the archive is as it was, so go on by --resume");
}

}  // namespace mixop
