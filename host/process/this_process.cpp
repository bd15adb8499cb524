#include "host/process/this_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <system_error>

namespace mixop {
namespace {

constexpr int kPluginCode = 4;
std::atomic<bool> guarded{false};

/// Runs within exit(), so it does no more than write.
void refuse_exit(int status, void*) {
  if (!guarded) return;
  char text[256];
  const int length = std::snprintf(
      text, sizeof text,
      "\nmixop: error: a plugin or a library called exit(%d), which ends the program before its work is done; archives "
      "are as they were written last\n",
      status);
  if (length > 0 && ::write(STDERR_FILENO, text, static_cast<std::size_t>(length)) < 0) std::_Exit(kPluginCode);
  std::_Exit(kPluginCode);
}

void refuse_quick_exit() { refuse_exit(0, nullptr); }

}  // namespace

void begin_process() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    // The lowest free number is the one that is closed.
    if (::fcntl(descriptor, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != descriptor) std::_Exit(1);
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);
}

void let_threads_sleep(char** arguments) {
  constexpr char kPolicy[] = "OMP_WAIT_POLICY", kSecondRun[] = "MIXOP_THREADS_SLEEP";
  if (std::getenv(kSecondRun) != nullptr) {
    ::unsetenv(kSecondRun);
    ::unsetenv(kPolicy);
    return;
  }
  if (std::getenv(kPolicy) != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  std::error_code failure;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (failure || ::setenv(kPolicy, "passive", 1) != 0 || ::setenv(kSecondRun, "1", 1) != 0) return;
  ::execv(program.c_str(), arguments);
  ::unsetenv(kSecondRun);  // it could not be run: this one goes on
  ::unsetenv(kPolicy);
}

ExitGuard::ExitGuard() {
  static const bool registered = [] {
    return ::on_exit(refuse_exit, nullptr) == 0 && std::at_quick_exit(refuse_quick_exit) == 0;
  }();
  guarded = registered;
}

ExitGuard::~ExitGuard() { allow_exit(); }

void allow_exit() { guarded = false; }

int output_problem() {
  errno = 0;
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  const int problem = errno;
  if (flushed && std::cout && std::ferror(stdout) == 0) return 0;
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  if (::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0) return EPIPE;
  return problem != 0 ? problem : kUnknownProblem;
}

}  // namespace mixop
