#include "host/process/running_child.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using mixop::RunningChild;
using mixop::test::TemporaryFolder;
using namespace std::chrono_literals;

namespace {

int end_of(RunningChild& child) {
  for (int look = 0; look < 4000; ++look) {
    if (const auto end = child.ended()) return *end;
    std::this_thread::sleep_for(5ms);
  }
  return -1;
}

std::string content(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a running child's outputs go to files, and its end is known", "[process]") {
  const TemporaryFolder folder;
  RunningChild child({"/bin/sh", "-c", "echo out; echo bad >&2; exit 3"}, {folder.path() / "out", folder.path() / "bad"});
  CHECK(end_of(child) == 3);
  CHECK(child.ended() == 3);
  CHECK(content(folder.path() / "out") == "out\n");
  CHECK(content(folder.path() / "bad") == "bad\n");
}

TEST_CASE("a running child is reached by signals, and killed when its object dies", "[process]") {
  const TemporaryFolder folder;
  const auto begin = std::chrono::steady_clock::now();
  {
    RunningChild child({"/bin/sh", "-c", "exec sleep 60"}, {});
    CHECK_FALSE(child.ended());
    child.signal(SIGTERM);
    CHECK(end_of(child) == 128 + SIGTERM);
    const RunningChild left({"/bin/sh", "-c", "exec sleep 60"}, {});
  }
  CHECK(std::chrono::steady_clock::now() - begin < 20s);
}

TEST_CASE("a running child is in a process group of its own", "[process]") {
  const TemporaryFolder folder;
  RunningChild child({"/bin/sh", "-c", "ps -o pgid= -p $$ | tr -d ' \\n'; echo; echo $$"}, {folder.path() / "out", {}});
  REQUIRE(end_of(child) == 0);
  std::istringstream said(content(folder.path() / "out"));
  std::string group, process;
  said >> group >> process;
  CHECK(group == process);
}

TEST_CASE("a running child that cannot have its file is not started", "[process]") {
  CHECK_THROWS_WITH(RunningChild({"/bin/true"}, {"/nowhere/out", {}}),
                    Catch::Matchers::Contains("/nowhere/out cannot be written: No such file"));
}
