#pragma once

#include <string>

namespace mixop {

/// Names the part of a plugin that runs in this thread while the object lives, for the report of a crash. Scopes nest.
class RunningPart {
 public:
  /// Both texts must outlive it: "operator 'acme.x'" and what was asked of it, "forward".
  RunningPart(const std::string& part, const char* asked) noexcept;
  ~RunningPart();
  RunningPart(const RunningPart&) = delete;
  RunningPart& operator=(const RunningPart&) = delete;

 private:
  friend void report_crashes();
  const char* part_;
  const char* asked_;
  const RunningPart* outer_;
};

/// From here on a signal that ends the process by a crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) first writes a line
/// to standard error that names the part that ran. The process then ends by that signal as it would have.
void report_crashes();
/// Ends that: for a process in which plugins are tried, whose parent judges how it ends.
void leave_crashes();

}  // namespace mixop
