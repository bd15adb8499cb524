#include "host/archive/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "host/files/new_file.hpp"
#include "host/text/numbers.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

/// PATH.prev becomes another name of the file at `path`, by a rename, so that there always is a PATH.prev once there
/// was.
void keep_previous(const std::string& path) {
  const std::string link = temporary_name(path), previous = path + ".prev";
  if (::link(path.c_str(), link.c_str()) != 0) {
    if (errno == ENOENT) return;
    fail_step(path, "linking the previous generation", errno);
  }
  if (::rename(link.c_str(), previous.c_str()) != 0) {
    const int problem = errno;
    ::unlink(link.c_str());
    fail_step(previous, "keeping the previous generation", problem);
  }
  // A rename between two names of one file does nothing, and leaves the first.
  ::unlink(link.c_str());
}

void sync_folder(const std::filesystem::path& path) {
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  Descriptor file(repeated([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (file.get() < 0) fail_step(folder, "opening the folder", errno);
  // Some file systems cannot sync a folder and say EINVAL; there is nothing more to be done on them.
  if (repeated([&] { return ::fsync(file.get()); }) != 0 && errno != EINVAL)
    fail_step(folder, "syncing the folder", errno);
}

/// The number of the process that holds a lock; 0 where none is written.
long holder_number(int descriptor) {
  char buffer[32] = {};
  const ssize_t size = ::pread(descriptor, buffer, sizeof buffer - 1, 0);
  return leading_number<long>({buffer, static_cast<std::size_t>(std::max<ssize_t>(size, 0))}).value_or(0);
}

std::string holder(int descriptor) {
  const long pid = holder_number(descriptor);
  return pid > 0 ? "process " + std::to_string(pid) : "another process";
}

/// Whether a file may be written as a lock: a regular one of one name that holds nothing, or a process's number.
bool is_lock(int descriptor) {
  char text[32];
  const ssize_t size = ::pread(descriptor, text, sizeof text, 0);
  return is_single_file(descriptor) && size >= 0 && size < static_cast<ssize_t>(sizeof text) &&
         std::string_view(text, static_cast<std::size_t>(size)).find_first_not_of("0123456789\n") ==
             std::string_view::npos;
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
  struct stat old {};
  if (::lstat(path.c_str(), &old) == 0 && !S_ISREG(old.st_mode))
    throw Error(ErrorCode::usage, path.string() + ": exists and is not a regular file; name another file");
  NewFile fresh(path);
  fresh.write(content);
  fresh.sync();
  keep_previous(path.string());
  fresh.replace_target();
  sync_folder(path);
}

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  const std::string name = path.string();
  Descriptor file(repeated([&] { return ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (file.get() < 0) fail_step(name, "opening", errno, ErrorCode::bad_data);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail_step(name, "looking at the file", errno, ErrorCode::bad_data);
  if (!S_ISREG(info.st_mode)) throw Error(ErrorCode::bad_data, name + ": not a regular file");
  std::vector<std::byte> content(static_cast<std::size_t>(info.st_size));
  for (std::size_t done = 0; done < content.size();) {
    const std::size_t wanted = std::min(content.size() - done, kLargestTransfer);
    const ssize_t got = repeated([&] { return ::read(file.get(), content.data() + done, wanted); });
    if (got < 0) fail_step(name, "reading", errno, ErrorCode::bad_data);
    if (got == 0) throw Error(ErrorCode::bad_data, name + ": became shorter while it was read");
    done += static_cast<std::size_t>(got);
  }
  return content;
}

std::optional<long> lock_holder(const std::filesystem::path& path) {
  const std::string name = path.string() + ".lock";
  const Descriptor file(repeated([&] { return ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); }));
  if (file.get() < 0) return std::nullopt;
  const long pid = holder_number(file.get());
  const bool lives = pid > 0 && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
  return lives ? std::optional(pid) : std::nullopt;
}

ArchiveLock::ArchiveLock(const std::filesystem::path& path) : lock_path_(path.string() + ".lock") {
  for (;;) {
    Descriptor file(repeated(
        [&] { return ::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666); }));
    if (file.get() < 0)
      fail_step(lock_path_, "creating the lock file", errno,
                is_full(errno) || errno == EIO ? ErrorCode::failed : ErrorCode::usage);
    if (repeated([&] { return ::flock(file.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) fail_step(lock_path_, "locking", errno);
      throw Error(ErrorCode::usage, path.string() + ": in use by " + holder(file.get()) + " (it holds " + lock_path_ +
                                        "); wait for it to end, or name another file");
    }
    if (!is_current(file.get(), lock_path_)) continue;
    if (!is_lock(file.get()))
      throw Error(ErrorCode::usage, lock_path_ +
                                        ": expected a lock file, found another file of that name; move it "
                                        "away, or name another output than " +
                                        path.string());
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (repeated([&] { return ::ftruncate(file.get(), 0); }) != 0)
      fail_step(lock_path_, "writing the lock file", errno);
    write_all(file.get(), std::as_bytes(std::span(pid)), lock_path_);
    descriptor_ = file.release();
    remove_leftovers(path);
    return;
  }
}

ArchiveLock::~ArchiveLock() {
  ::unlink(lock_path_.c_str());
  ::close(descriptor_);
}

}  // namespace mixop
