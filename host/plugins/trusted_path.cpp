#include "host/plugins/trusted_path.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace mixop {
namespace {

namespace fs = std::filesystem;

std::string octal(unsigned mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", mode & 07777U);
  return text;
}

std::string unreadable(const fs::path& folder) {
  return "the folder " + folder.string() + " cannot be read: " + std::strerror(errno);
}

}  // namespace

std::string changed_by_others(const struct stat& info, const fs::path& what) {
  const auto user = ::geteuid();
  if (info.st_uid != user && info.st_uid != 0)
    return "belongs to user " + std::to_string(info.st_uid) + "; expected you (user " + std::to_string(user) +
           ") or root. Copy it to a folder of yours";
  if ((info.st_mode & S_IWOTH) != 0)
    return "is writable by everybody (mode " + octal(info.st_mode) + "). Run: chmod o-w '" + what.string() + "'";
  return "";
}

std::string folders_changed_by_others(const fs::path& folder) {
  std::error_code failure;
  const fs::path resolved = fs::canonical(folder, failure);
  if (failure) return "the folder " + folder.string() + " cannot be found: " + failure.message();
  fs::path at;
  for (const fs::path& name : resolved) {
    at /= name;
    struct stat info {};
    if (::lstat(at.c_str(), &info) != 0) return unreadable(at);
    // Below a folder that passed nobody else puts a link there.
    if (!S_ISDIR(info.st_mode)) return "the folder " + at.string() + " was replaced while it was checked";
    if (at != resolved && (info.st_mode & S_ISVTX) != 0) info.st_mode &= ~mode_t{S_IWOTH};
    if (const std::string problem = changed_by_others(info, at); !problem.empty())
      return "the folder " + at.string() + " " + problem;
  }
  return "";
}

}  // namespace mixop
