#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mixop {

/// Where a child's output goes; an empty name: where this process's own does. A file that is there is replaced.
struct ChildOutputs {
  std::filesystem::path output, errors;
};

/// A child process that runs while this one does other things, in a process group of its own: a terminal's Ctrl-C reaches
/// it by signal() alone. It is killed when this process or the object dies.
class RunningChild {
 public:
  static constexpr int kBehindSignals = 128;  ///< what an exit code is added to where a signal ended it
  static constexpr int kNotStarted = 127;     ///< exit code of a program that cannot be run

  /// `command`: an absolute path and its arguments. Throws Error failed where no process can be made or a file cannot be
  /// written.
  RunningChild(const std::vector<std::string>& command, const ChildOutputs& outputs);
  ~RunningChild();
  RunningChild(const RunningChild&) = delete;
  RunningChild& operator=(const RunningChild&) = delete;

  /// Nothing while it runs; then its exit code, or 128 + N where signal N ended it.
  std::optional<int> ended();
  void signal(int number) const;

 private:
  pid_t child_;
  std::optional<int> end_;
};

}  // namespace mixop
