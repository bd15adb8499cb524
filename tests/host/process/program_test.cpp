#include "host/process/program.hpp"

#include <cstdlib>

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;

namespace {

/// PATH as it was, when the test is over.
struct PathGuard {
  ~PathGuard() { setenv("PATH", kept.c_str(), 1); }
  std::string kept = std::getenv("PATH");
};

}  // namespace

TEST_CASE("a program is the first executable file of its name in an absolute folder of PATH", "[process]") {
  const PathGuard guard;
  const test::TemporaryFolder plain, folder, programs;
  plain.write("tool", std::string("#!/bin/sh\n"));
  std::filesystem::create_directory(folder.path() / "tool");
  std::filesystem::permissions(programs.write("tool", std::string("#!/bin/sh\n")), std::filesystem::perms(0755));
  const std::string path = plain.path().string() + ":" + folder.path().string() + "::.:";
  setenv("PATH", path.c_str(), 1);
  CHECK_FALSE(program_on_path("tool"));
  setenv("PATH", (path + programs.path().string()).c_str(), 1);
  CHECK(program_on_path("tool") == programs.path() / "tool");
  unsetenv("PATH");
  CHECK_FALSE(program_on_path("tool"));
}
