#include "host/archive/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "host/text/numbers.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

/// Linux moves at most this much in one call.
constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

bool is_full(int problem) { return problem == ENOSPC || problem == EDQUOT || problem == EFBIG; }

[[noreturn]] void fail(const std::string& path, const std::string& step, int problem,
                       ErrorCode code = ErrorCode::failed) {
  throw Error(code, path + ": " + step + " failed: " + std::strerror(problem) +
                        (is_full(problem) ? "; free some space, or write to another place" : ""));
}

/// Repeats a call as long as signals interrupt it.
template <class Call>
auto repeated(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

void write_all(int descriptor, std::span<const std::byte> content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written =
        repeated([&] { return ::write(descriptor, content.data(), std::min(content.size(), kLargestTransfer)); });
    if (written < 0) fail(path, "writing", errno);
    content = content.subspan(static_cast<std::size_t>(written));
  }
}

void write_synced(const std::string& path, std::span<const std::byte> content) {
  Descriptor file(
      repeated([&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666); }));
  if (file.get() < 0) fail(path, "creating", errno);
  write_all(file.get(), content, path);
  if (repeated([&] { return ::fsync(file.get()); }) != 0) fail(path, "syncing", errno);
  // Linux has closed what it says it was interrupted in closing.
  if (::close(file.release()) != 0 && errno != EINTR) fail(path, "closing", errno);
}

/// PATH.prev becomes another name of the file at `path`, by a rename, so that there always is a PATH.prev once there
/// was.
void keep_previous(const std::string& path) {
  const std::string link = path + ".prev.tmp", previous = path + ".prev";
  if (::unlink(link.c_str()) != 0 && errno != ENOENT) fail(link, "removing", errno);
  if (::link(path.c_str(), link.c_str()) != 0) {
    if (errno == ENOENT) return;
    fail(path, "linking the previous generation", errno);
  }
  if (::rename(link.c_str(), previous.c_str()) != 0) {
    const int problem = errno;
    ::unlink(link.c_str());
    fail(previous, "keeping the previous generation", problem);
  }
  // A rename between two names of one file does nothing, and leaves the first.
  ::unlink(link.c_str());
}

void sync_folder(const std::filesystem::path& path) {
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  Descriptor file(repeated([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (file.get() < 0) fail(folder, "opening the folder", errno);
  // Some file systems cannot sync a folder and say EINVAL; there is nothing more to be done on them.
  if (repeated([&] { return ::fsync(file.get()); }) != 0 && errno != EINVAL) fail(folder, "syncing the folder", errno);
}

std::string holder(int descriptor) {
  char buffer[32] = {};
  const ssize_t size = ::pread(descriptor, buffer, sizeof buffer - 1, 0);
  const long pid = leading_number<long>({buffer, static_cast<std::size_t>(std::max<ssize_t>(size, 0))}).value_or(0);
  return pid > 0 ? "process " + std::to_string(pid) : "another process";
}

/// Whether the path still names the open file: its last holder may have removed it before the lock was ours.
bool is_current(int descriptor, const std::string& path) {
  struct stat own {
  }, named{};
  return ::fstat(descriptor, &own) == 0 && ::stat(path.c_str(), &named) == 0 && own.st_ino == named.st_ino &&
         own.st_dev == named.st_dev;
}

}  // namespace

void replace_file(const std::filesystem::path& path, std::span<const std::byte> content) {
  const std::string target = path.string(), temporary = target + ".tmp";
  struct stat old {};
  if (::lstat(target.c_str(), &old) == 0 && !S_ISREG(old.st_mode))
    throw Error(ErrorCode::usage, target + ": exists and is not a regular file; name another file");
  try {
    write_synced(temporary, content);
    keep_previous(target);
    if (::rename(temporary.c_str(), target.c_str()) != 0) fail(target, "renaming the new file", errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(path);
}

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  const std::string name = path.string();
  Descriptor file(repeated([&] { return ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (file.get() < 0) fail(name, "opening", errno, ErrorCode::bad_data);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail(name, "looking at the file", errno, ErrorCode::bad_data);
  if (!S_ISREG(info.st_mode)) throw Error(ErrorCode::bad_data, name + ": not a regular file");
  std::vector<std::byte> content(static_cast<std::size_t>(info.st_size));
  for (std::size_t done = 0; done < content.size();) {
    const std::size_t wanted = std::min(content.size() - done, kLargestTransfer);
    const ssize_t got = repeated([&] { return ::read(file.get(), content.data() + done, wanted); });
    if (got < 0) fail(name, "reading", errno, ErrorCode::bad_data);
    if (got == 0) throw Error(ErrorCode::bad_data, name + ": became shorter while it was read");
    done += static_cast<std::size_t>(got);
  }
  return content;
}

ArchiveLock::ArchiveLock(const std::filesystem::path& path) : lock_path_(path.string() + ".lock") {
  for (;;) {
    Descriptor file(
        repeated([&] { return ::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666); }));
    if (file.get() < 0)
      fail(lock_path_, "creating the lock file", errno,
           is_full(errno) || errno == EIO ? ErrorCode::failed : ErrorCode::usage);
    if (repeated([&] { return ::flock(file.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) fail(lock_path_, "locking", errno);
      throw Error(ErrorCode::usage, path.string() + ": in use by " + holder(file.get()) + " (it holds " + lock_path_ +
                                        "); wait for it to end, or name another file");
    }
    if (!is_current(file.get(), lock_path_)) continue;
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (repeated([&] { return ::ftruncate(file.get(), 0); }) != 0) fail(lock_path_, "writing the lock file", errno);
    write_all(file.get(), std::as_bytes(std::span(pid)), lock_path_);
    descriptor_ = file.release();
    return;
  }
}

ArchiveLock::~ArchiveLock() {
  ::unlink(lock_path_.c_str());
  ::close(descriptor_);
}

}  // namespace mixop
