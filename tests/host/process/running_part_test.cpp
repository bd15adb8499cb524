#include "host/process/running_part.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "tests/catch.hpp"

using Catch::Contains;
using mixop::RunningPart;

namespace {

struct End {
  int status;
  std::string said;
};

/// Runs `body` in a child process whose crashes are reported.
End of_child(const std::function<void()>& body) {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(pipe[1], STDERR_FILENO);
    ::close(pipe[0]);
    mixop::report_crashes();
    body();
    ::_exit(0);
  }
  ::close(pipe[1]);
  End end{};
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(pipe[0], buffer, sizeof buffer)) > 0;)
    end.said.append(buffer, static_cast<std::size_t>(got));
  ::close(pipe[0]);
  ::waitpid(child, &end.status, 0);
  return end;
}

/// Until the stack is full, in every case that happens.
int fill_stack(int depth) {
  volatile char room[4096] = {};
  room[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : fill_stack(depth + 1) + room[0];
}

}  // namespace

TEST_CASE("a crash ends the process by its signal after a line that names the part", "[process]") {
  const End end = of_child([] {
    const std::string outer = "the space 'acme.s'", inner = "operator 'acme.x'";
    const RunningPart space(outer, "search");
    { const RunningPart op(inner, "cost"); }
    std::raise(SIGFPE);
  });
  CHECK(WIFSIGNALED(end.status));
  CHECK(WTERMSIG(end.status) == SIGFPE);
  CHECK_THAT(end.said,
             Contains("the program crashes (SIGFPE, an integer division by zero) while it runs the space 'acme.s': "
                      "search; archives are as they were written last\n"));
}

TEST_CASE("a thread whose stack is full is reported, too", "[process]") {
  const End end = of_child([] {
    const std::string name = "the data set 'acme.d'";
    std::thread([&] {
      const RunningPart part(name, "read");
      fill_stack(0);
    }).join();
  });
  CHECK(WIFSIGNALED(end.status));
  CHECK_THAT(end.said, Contains("while it runs the data set 'acme.d': read; "));
}
