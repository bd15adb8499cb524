#include "host/plugins/tested_plugins.hpp"

#include <cstdlib>
#include <fstream>
#include <utility>

#include "host/plugins/checks.hpp"
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

bool TestedPlugins::contains(const std::string& sha256) const {
  std::ifstream lines(file_);
  for (std::string line; std::getline(lines, line);)
    if (line == line_of(sha256)) return true;
  return false;
}

bool TestedPlugins::add(const std::string& sha256) {
  if (file_.empty()) return false;
  std::error_code failure;
  fs::create_directories(file_.parent_path(), failure);
  std::ofstream lines(file_, std::ios::app);
  lines << line_of(sha256) + "\n" << std::flush;
  return lines.good();
}

}  // namespace mixop
