#include "host/plugins/tested_plugins.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <utility>

#include "host/files/descriptor.hpp"
#include "host/plugins/checks.hpp"
#include "host/text/text.hpp"
#include "mixop/version.h"

namespace mixop {
namespace {

namespace fs = std::filesystem;

// Variables that hold no absolute path are ignored, as the XDG specification asks.
fs::path state_folder() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && fs::path(state).is_absolute())
    return state;
  if (const char* home = std::getenv("HOME"); home != nullptr && fs::path(home).is_absolute())
    return fs::path(home) / ".local" / "state";
  return {};
}

constexpr std::size_t kMostBytes = std::size_t{16} << 20;

bool is_own(const struct stat& info) {
  return info.st_uid == ::geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// The open file where nobody else may have written it: a regular one of one name, of this user, which nobody else may
/// write, in a folder of the same kind. A number below zero otherwise.
Descriptor open_own(const fs::path& path, int flags) {
  struct stat folder {
  }, info{};
  if (::stat(path.parent_path().c_str(), &folder) != 0 || !is_own(folder)) return Descriptor(-1);
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0 || !is_own(info) || !is_single_file(file.get()))
    return Descriptor(-1);
  return file;
}

std::string text_of(int descriptor) {
  std::string text;
  std::array<char, 65536> buffer;
  while (text.size() < kMostBytes) {
    const ssize_t count = repeated([&] { return ::read(descriptor, buffer.data(), buffer.size()); });
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

/// The folder of the file, which nobody else may write to.
void make_folder(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder.parent_path(), failure);
  ::mkdir(folder.c_str(), 0700);
}

}  // namespace

TestedPlugins::TestedPlugins(fs::path file, std::string host) : file_(std::move(file)), host_(std::move(host)) {}

TestedPlugins TestedPlugins::of_user() {
  const fs::path folder = state_folder();
  return {folder.empty() ? fs::path() : folder / "mixop" / "tested-plugins",
          "mixop-" MIXOP_VERSION_STRING "-libtorch-" + version_text(HostTraits::current().libtorch)};
}

bool TestedPlugins::contains(const std::string& sha256) const {
  if (file_.empty()) return false;
  const Descriptor file = open_own(file_, O_RDONLY);
  if (file.get() < 0) return false;
  const std::vector<std::string> lines = split(text_of(file.get()), '\n');
  return std::find(lines.begin(), lines.end(), line_of(sha256)) != lines.end();
}

bool TestedPlugins::add(const std::string& sha256) {
  if (file_.empty()) return false;
  make_folder(file_.parent_path());
  const Descriptor file = open_own(file_, O_WRONLY | O_APPEND | O_CREAT);
  if (file.get() < 0) return false;
  const std::string line = line_of(sha256) + "\n";
  return repeated([&] { return ::write(file.get(), line.data(), line.size()); }) == static_cast<ssize_t>(line.size());
}

}  // namespace mixop
