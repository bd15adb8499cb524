#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace mixop {

/// How a child process ended.
struct ChildResult {
  enum class End { exited, killed, timed_out };
  End end = End::exited;
  int code = 0;        ///< exit status, or the signal's number
  std::string output;  ///< its standard output; of more than 1 MiB the first and the last half, and a line between
  std::size_t left_out = 0;  ///< how many bytes of the output are not in it
};

/// Runs `command` (an absolute path and its arguments) with standard input empty and standard error inherited, and
/// waits for it. A child that is still running after `timeout` is killed; one whose parent dies is killed, too.
/// Throws Error failed where no process can be made.
ChildResult run_child(const std::vector<std::string>& command, std::chrono::milliseconds timeout);

}  // namespace mixop
