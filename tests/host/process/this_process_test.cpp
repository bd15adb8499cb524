#include "host/process/this_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>

#include "tests/catch.hpp"

using namespace mixop;

namespace {

/// What a child process answers, or 128 and its signal.
int status_of(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int with_output_on(int descriptor) {
  ::dup2(descriptor, STDOUT_FILENO);
  std::cout << "text" << std::endl;
  std::printf("more\n");
  return output_problem();
}

}  // namespace

TEST_CASE("closed standard descriptors are opened, so that no file takes their place", "[process]") {
  CHECK(status_of([] {
          for (const int descriptor : {0, 1, 2}) ::close(descriptor);
          begin_process();
          return ::open("/dev/null", O_RDONLY);
        }) > 2);
  CHECK(status_of([] {
          ::close(1);
          begin_process();
          return ::open("/dev/null", O_RDONLY) > 2 && output_problem() == 0 ? 0 : 1;
        }) == 0);
}

TEST_CASE("a parent's wishes about children do not hold here", "[process]") {
  CHECK(status_of([] {
          std::signal(SIGCHLD, SIG_IGN);
          begin_process();
          const pid_t child = ::fork();
          if (child == 0) ::_exit(7);
          int status = 0;
          return ::waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 1;
        }) == 7);
}

TEST_CASE("output that cannot be written is noticed", "[process]") {
  CHECK(status_of([] { return with_output_on(::open("/dev/full", O_WRONLY)); }) == ENOSPC);
  CHECK(status_of([] { return with_output_on(::open("/dev/null", O_WRONLY)); }) == 0);
}

TEST_CASE("a reader that is gone ends no program, and is distinguished", "[process]") {
  CHECK(status_of([] {
          begin_process();
          std::array<int, 2> pipe{};
          if (::pipe(pipe.data()) != 0) return 1;
          ::close(pipe[0]);
          return with_output_on(pipe[1]);
        }) == EPIPE);
}

TEST_CASE("exit() under a guard is no success", "[process]") {
  for (const auto leave : {&std::exit, &std::quick_exit}) {
    CHECK(status_of([&]() -> int {
            const ExitGuard guard;
            leave(0);
          }) == 4);
    CHECK(status_of([&]() -> int {
            { const ExitGuard guard; }
            leave(0);
          }) == 0);
  }
}
