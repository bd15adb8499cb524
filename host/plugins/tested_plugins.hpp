#pragma once

#include <filesystem>
#include <string>

namespace mixop {

/// Remembers which plugin files passed the self-test on this host: a text file with a line for each. It is believed, and
/// written, only where nobody but this user may write to it and to its folder.
class TestedPlugins {
 public:
  /// `file` need not exist. `host` distinguishes hosts: a plugin is tried again with another LibTorch.
  TestedPlugins(std::filesystem::path file, std::string host);
  /// `mixop/tested-plugins` under XDG_STATE_HOME, or under ~/.local/state; for this program.
  static TestedPlugins of_user();

  bool contains(const std::string& sha256) const;
  /// Returns whether it could be written down.
  bool add(const std::string& sha256);

 private:
  std::string line_of(const std::string& sha256) const { return sha256 + " " + host_; }

  std::filesystem::path file_;
  std::string host_;
};

}  // namespace mixop
