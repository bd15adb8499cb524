#include "host/plugins/tested_plugins.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "host/plugins/checks.hpp"
#include "host/plugins/trusted_path.hpp"
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

}  // namespace

TestedPlugins::TestedPlugins(fs::path file, std::string host) : file_(std::move(file)), host_(std::move(host)) {}

TestedPlugins TestedPlugins::of_user() {
  const fs::path folder = state_folder();
  return {folder.empty() ? fs::path() : folder / "mixop" / "tested-plugins",
          "mixop-" MIXOP_VERSION_STRING "-libtorch-" + version_text(HostTraits::current().libtorch)};
}

TestedPlugins::File TestedPlugins::opened(int flags) const {
  File none(nullptr, std::fclose);
  if (file_.empty() || !folders_changed_by_others(file_.parent_path()).empty()) return none;
  const int descriptor = ::open(file_.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, S_IRUSR | S_IWUSR);
  struct stat info {};
  const bool sound = descriptor >= 0 && ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) &&
                     changed_by_others(info, file_).empty();
  if (sound) return {::fdopen(descriptor, (flags & O_WRONLY) != 0 ? "a" : "r"), std::fclose};
  if (descriptor >= 0) ::close(descriptor);
  return none;
}

bool TestedPlugins::contains(const std::string& sha256) const {
  const File file = opened(O_RDONLY);
  const std::string wanted = line_of(sha256);
  std::string line;
  for (int c = 0; file != nullptr && c != EOF;) {
    c = std::fgetc(file.get());
    if (c != '\n' && c != EOF)
      line += static_cast<char>(c);
    else if (line == wanted)
      return true;
    else
      line.clear();
  }
  return false;
}

bool TestedPlugins::add(const std::string& sha256) {
  if (file_.empty()) return false;
  std::error_code failure;
  fs::create_directories(file_.parent_path(), failure);
  const File file = opened(O_WRONLY | O_APPEND | O_CREAT);
  return file != nullptr && std::fputs((line_of(sha256) + "\n").c_str(), file.get()) >= 0 &&
         std::fflush(file.get()) == 0;
}

}  // namespace mixop
