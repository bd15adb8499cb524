#include "host/process/child_process.hpp"

#include <chrono>
#include <csignal>

#include "tests/catch.hpp"

using mixop::ChildResult;
using mixop::run_child;
using namespace std::chrono_literals;

namespace {

ChildResult shell(const std::string& script, std::chrono::milliseconds timeout = 20s) {
  return run_child({"/bin/sh", "-c", script}, timeout);
}

}  // namespace

TEST_CASE("a child's output and exit status come back", "[process]") {
  const ChildResult result = shell("echo one; echo two; exit 3");
  CHECK(result.end == ChildResult::End::exited);
  CHECK(result.code == 3);
  CHECK(result.output == "one\ntwo\n");
}

TEST_CASE("a child has no input", "[process]") { CHECK(shell("cat").code == 0); }

TEST_CASE("a child that dies of a signal is distinguished", "[process]") {
  const ChildResult result = shell("kill -SEGV $$");
  CHECK(result.end == ChildResult::End::killed);
  CHECK(result.code == 11);
}

TEST_CASE("a child that hangs is stopped", "[process]") {
  const auto start = std::chrono::steady_clock::now();
  CHECK(shell("echo begun; exec sleep 60", 200ms).end == ChildResult::End::timed_out);
  // Its output is closed, but it runs on.
  CHECK(shell("exec sleep 60 >&-", 200ms).end == ChildResult::End::timed_out);
  CHECK(std::chrono::steady_clock::now() - start < 20s);
}

TEST_CASE("a child that prints without end does not fill the memory", "[process]") {
  const ChildResult result = shell("echo first; head -c 3000000 /dev/zero; echo; echo last");
  CHECK(result.code == 0);
  CHECK(result.output.size() < (std::size_t{1} << 20) + 100);
  CHECK(result.output.rfind("first\n", 0) == 0);
  CHECK(result.output.find("\n[1951436 bytes are left out here]\n") != std::string::npos);
  CHECK(result.output.substr(result.output.size() - 6) == "\nlast\n");
  CHECK(result.left_out == 3000012 - (std::size_t{1} << 20));
}

TEST_CASE("output up to the bound comes back whole", "[process]") {
  const ChildResult result = shell("head -c 1048575 /dev/zero; echo");
  CHECK(result.left_out == 0);
  CHECK(result.output == std::string(1048575, '\0') + "\n");
}

TEST_CASE("a child that cannot be waited for is an error, and no endless wait", "[process]") {
  std::signal(SIGCHLD, SIG_IGN);
  CHECK_THROWS_WITH(shell("exit 3"), "a child process cannot be started: waitpid: No child processes");
  std::signal(SIGCHLD, SIG_DFL);
}

TEST_CASE("a child does not inherit what this program ignores for itself", "[process]") {
  std::signal(SIGPIPE, SIG_IGN);
  const ChildResult result = shell("kill -PIPE $$; echo survived");
  std::signal(SIGPIPE, SIG_DFL);
  CHECK(result.end == ChildResult::End::killed);
  CHECK(result.code == SIGPIPE);
}

TEST_CASE("a program that does not exist ends with status 127", "[process]") {
  CHECK(run_child({"/nowhere/at/all"}, 20s).code == 127);
}
