#include "host/process/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "host/process/start_child.hpp"

namespace mixop {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostOutput = std::size_t{1} << 20;
constexpr std::size_t kHalf = kMostOutput / 2;

/// The first and the last half MiB of an output, so that a child that prints without end fills neither the memory nor
/// its pipe.
class BoundedOutput {
 public:
  void add(const char* bytes, std::size_t count) {
    const std::size_t first = std::min(count, kHalf - first_.size());
    first_.append(bytes, first);
    last_.append(bytes + first, count - first);
    if (last_.size() > kMostOutput) cut();
  }

  void into(ChildResult& result) {
    if (last_.size() > kHalf) cut();
    result.left_out = left_out_;
    result.output = std::move(first_);
    if (left_out_ > 0) result.output += "\n[" + std::to_string(left_out_) + " bytes are left out here]\n";
    result.output += last_;
  }

 private:
  void cut() {
    left_out_ += last_.size() - kHalf;
    last_.erase(0, last_.size() - kHalf);
  }

  std::string first_, last_;
  std::size_t left_out_ = 0;
};

// Reads until the end of the pipe, or returns false at the deadline.
bool read_until(int pipe, Clock::time_point deadline, BoundedOutput& output) {
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
    output.add(buffer.data(), static_cast<std::size_t>(count));
  }
}

// Waits for the end of a process whose pipe has closed; returns false at the deadline.
bool wait_until(pid_t child, Clock::time_point deadline, int& status) {
  for (;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return true;
    if (ended < 0 && errno != EINTR) fail_to_start("waitpid");
    if (Clock::now() >= deadline) return false;
    ::usleep(1000);
  }
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& command, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) fail_to_start("pipe");
  pid_t child = -1;
  try {
    child = start_child({command, pipe[1]});
  } catch (...) {
    for (const int end : pipe) ::close(end);
    throw;
  }
  ::close(pipe[1]);

  ChildResult result;
  int status = 0;
  BoundedOutput output;
  const bool closed = read_until(pipe[0], deadline, output);
  ::close(pipe[0]);
  output.into(result);
  const bool ended = closed && wait_until(child, deadline, status);
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
