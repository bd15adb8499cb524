#pragma once

namespace mixop {

/// What main() does before anything opens a file: standard descriptors that are closed are opened on /dev/null, so that
/// no file takes their numbers; a reader that went away (SIGPIPE) and a limit on file sizes (SIGXFSZ) are errors of the
/// writer, with a message, instead of its end; children can be waited for, which a parent that ignores SIGCHLD would
/// have prevented.
void begin_process();

/// Has OpenMP's threads sleep while they wait for each other, so that other work on the machine does not slow this one many
/// times over. Their library reads how when it is loaded, so this runs the program anew, with these arguments of main(), before
/// anything else; in that second run it returns. Nothing where the environment says how they wait: OMP_WAIT_POLICY,
/// GOMP_SPINCOUNT. Child processes see the environment as it was.
void let_threads_sleep(char** arguments);

/// While it lives, exit() called by anything but main(), such as a plugin, ends the process with the exit code for
/// plugins and a message, so that nobody takes it for a finished run.
class ExitGuard {
 public:
  ExitGuard();
  ~ExitGuard();
  ExitGuard(const ExitGuard&) = delete;
  ExitGuard& operator=(const ExitGuard&) = delete;
};

/// Ends what ExitGuards do: for a process in which plugins are tried, whose parent judges how it ends.
void allow_exit();

/// The reason of a write that failed long ago.
constexpr int kUnknownProblem = -1;

/// Flushes standard output; returns why not all of it could be written, as an errno or kUnknownProblem: EPIPE where its
/// reader is gone, 0 where all was written.
int output_problem();

}  // namespace mixop
