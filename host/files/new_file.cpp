#include "host/files/new_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigits = 16;
constexpr std::string_view kEnd = ".tmp";

bool is_temporary_of(const std::string& target, std::string_view name) {
  if (name.size() != target.size() + 1 + kDigits + kEnd.size() || name.substr(0, target.size()) != target) return false;
  const std::string_view digits = name.substr(target.size() + 1, kDigits);
  return name[target.size()] == '.' && name.substr(name.size() - kEnd.size()) == kEnd &&
         digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The permissions of the file at `target`; none where there is no regular file.
int mode_of(const std::string& target) {
  struct stat info {};
  return ::lstat(target.c_str(), &info) == 0 && S_ISREG(info.st_mode) ? static_cast<int>(info.st_mode & 0777) : -1;
}

/// Whether the name still is that of the open file: between its making and its lock somebody may take it for a
/// leftover.
bool is_held(int descriptor) {
  ::flock(descriptor, LOCK_EX | LOCK_NB);
  struct stat info {};
  return ::fstat(descriptor, &info) == 0 && info.st_nlink > 0;
}

/// Opens a file that was not there; `path` becomes its name.
Descriptor made_anew(const std::string& target, std::string& path, ErrorCode code) {
  const int mode = mode_of(target);
  for (;;) {
    path = temporary_name(target);
    Descriptor file(repeated([&] {
      return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode < 0 ? 0666 : mode & 0700);
    }));
    if (file.get() < 0 && errno != EEXIST)
      fail_step(target, "creating", errno, is_full(errno) || errno == EIO ? ErrorCode::failed : code);
    if (file.get() < 0 || !is_held(file.get())) continue;
    if (mode >= 0 && ::fchmod(file.get(), static_cast<mode_t>(mode)) != 0) {
      const int problem = errno;
      ::unlink(path.c_str());
      fail_step(target, "setting the mode of its new file", problem, code);
    }
    return file;
  }
}

}  // namespace

std::string temporary_name(const fs::path& target) {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) fail_step(target.string(), "naming its new file", errno);
  std::array<char, kDigits + 1> digits{};
  std::snprintf(digits.data(), digits.size(), "%016" PRIx64, number);
  return target.string() + "." + digits.data() + std::string(kEnd);
}

NewFile::NewFile(const fs::path& target, ErrorCode code)
    : target_(target.string()), file_(made_anew(target_, path_, code)) {}

NewFile::~NewFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void NewFile::write(std::span<const std::byte> content) { write_all(file_.get(), content, target_); }

void NewFile::sync() {
  if (repeated([&] { return ::fsync(file_.get()); }) != 0) fail_step(target_, "syncing", errno);
}

void NewFile::replace_target() {
  // Linux has closed what it says it was interrupted in closing.
  if (::close(file_.release()) != 0 && errno != EINTR) fail_step(target_, "closing", errno);
  if (::rename(path_.c_str(), target_.c_str()) != 0) fail_step(target_, "renaming the new file", errno);
  path_.clear();
}

void remove_leftovers(const fs::path& target) {
  const fs::path folder = target.has_parent_path() ? target.parent_path() : ".";
  const std::string name = target.filename();
  std::error_code unreadable;
  for (fs::directory_iterator at(folder, unreadable), end; !unreadable && at != end; at.increment(unreadable)) {
    if (!is_temporary_of(name, at->path().filename().string())) continue;
    const std::string path = at->path().string();
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info {};
    if (file.get() >= 0 && ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode) &&
        ::flock(file.get(), LOCK_EX | LOCK_NB) == 0)
      ::unlink(path.c_str());
  }
}

}  // namespace mixop
