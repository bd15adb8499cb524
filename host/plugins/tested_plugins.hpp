#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace mixop {

/// Remembers which plugin files passed the self-test on this host: a text file with a line for each, which is neither
/// believed nor written where others than root and this user may change it or a folder above it.
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
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  /// Null where there is none, or others may change it; the flags are those of open(2).
  File opened(int flags) const;
  std::string line_of(const std::string& sha256) const { return sha256 + " " + host_; }

  std::filesystem::path file_;
  std::string host_;
};

}  // namespace mixop
