#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace mixop {

/// What a child process begins with.
struct ChildStart {
  std::vector<std::string> command;  ///< an absolute path and its arguments
  int output = -1;                   ///< descriptor of its standard output; -1: this process's own
  int errors = -1;                   ///< of its standard error
  bool own_group = false;            ///< a process group of its own, which a terminal's Ctrl-C does not reach
};

/// Starts a child with standard input empty, which is killed when this process dies. Throws Error failed where no process
/// can be made.
pid_t start_child(const ChildStart& start);

[[noreturn]] void fail_to_start(const char* what);

}  // namespace mixop
