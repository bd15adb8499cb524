#include "host/process/start_child.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr int kNotStarted = 127, kSignals = 32;

// Between fork and exec only functions that are safe in a signal handler may be called.
[[noreturn]] void become(char* const* arguments, const ChildStart& start, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kNotStarted);
  if (start.own_group && ::setpgid(0, 0) != 0) ::_exit(kNotStarted);
  // What is ignored stays so behind exec: what this program ignores for itself is no wish for another one. Its handlers
  // are none for the child, either, which a signal may reach before exec.
  for (int signal = 1; signal < kSignals; ++signal) {
    struct sigaction own = {};
    if (::sigaction(signal, nullptr, &own) != 0) continue;
    if (own.sa_handler != SIG_IGN || signal == SIGPIPE || signal == SIGXFSZ) ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0) ::_exit(kNotStarted);
  if (start.output >= 0 && ::dup2(start.output, STDOUT_FILENO) < 0) ::_exit(kNotStarted);
  if (start.errors >= 0 && ::dup2(start.errors, STDERR_FILENO) < 0) ::_exit(kNotStarted);
  ::execv(arguments[0], arguments);
  ::_exit(kNotStarted);
}

}  // namespace

void fail_to_start(const char* what) {
  throw Error(ErrorCode::failed,
              std::string("a child process cannot be started: ") + what + ": " + std::strerror(errno));
}

pid_t start_child(const ChildStart& start) {
  std::vector<char*> arguments;
  for (const std::string& argument : start.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = ::fork();
  if (child == 0) become(arguments.data(), start, parent);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) fail_to_start("fork");
  return child;
}

}  // namespace mixop
