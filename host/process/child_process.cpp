#include "host/process/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "mixop/error.hpp"

namespace mixop {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostOutput = std::size_t{1} << 20;
constexpr int kNotStarted = 127;

[[noreturn]] void fail(const char* what) {
  throw Error(ErrorCode::failed,
              std::string("a child process cannot be started: ") + what + ": " + std::strerror(errno));
}

// Between fork and exec only functions that are safe in a signal handler may be called.
[[noreturn]] void become(char* const* arguments, int output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kNotStarted);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0) ::_exit(kNotStarted);
  ::execv(arguments[0], arguments);
  ::_exit(kNotStarted);
}

// Reads until the end of the pipe, or returns false at the deadline.
bool read_until(int pipe, Clock::time_point deadline, std::string& output) {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd waiting{pipe, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<long long>(left, 1000)));
    if (ready <= 0) continue;
    const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    const auto kept = std::min(static_cast<std::size_t>(count), kMostOutput - output.size());
    output.append(buffer.data(), kept);
  }
}

// Waits for the end of a process whose pipe has closed; returns false at the deadline.
bool wait_until(pid_t child, Clock::time_point deadline, int& status) {
  for (;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return true;
    if (Clock::now() >= deadline) return false;
    ::usleep(1000);
  }
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& command, std::chrono::milliseconds timeout) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const auto deadline = Clock::now() + timeout;

  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) fail("pipe");
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(arguments.data(), pipe[1], parent);
  ::close(pipe[1]);
  if (child < 0) {
    ::close(pipe[0]);
    fail("fork");
  }

  ChildResult result;
  int status = 0;
  bool ended = read_until(pipe[0], deadline, result.output) && wait_until(child, deadline, status);
  ::close(pipe[0]);
  if (!ended) {
    ::kill(child, SIGKILL);
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    result.end = ChildResult::End::timed_out;
  } else if (WIFSIGNALED(status)) {
    result.end = ChildResult::End::killed;
    result.code = WTERMSIG(status);
  } else {
    result.code = WEXITSTATUS(status);
  }
  return result;
}

}  // namespace mixop
