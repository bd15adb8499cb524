#include "host/plugins/tested_plugins.hpp"

#include <sys/stat.h>

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using mixop::TestedPlugins;

TEST_CASE("a plugin that passed is remembered for its host", "[plugins][tested]") {
  const mixop::test::TemporaryFolder folder;
  const auto file = folder.path() / "state" / "mixop" / "tested-plugins";
  TestedPlugins tested(file, "host-1");
  CHECK_FALSE(tested.contains("aaaa"));
  CHECK(tested.add("aaaa"));
  CHECK(tested.add("bbbb"));
  CHECK(TestedPlugins(file, "host-1").contains("aaaa"));
  CHECK(TestedPlugins(file, "host-1").contains("bbbb"));
  CHECK_FALSE(TestedPlugins(file, "host-2").contains("aaaa"));
  CHECK_FALSE(TestedPlugins(file, "host-1").contains("aaa"));
}

TEST_CASE("what others may change is neither believed nor written", "[plugins][tested]") {
  const mixop::test::TemporaryFolder folder;
  const auto above = folder.path() / "above", file = above / "state" / "tested-plugins";
  TestedPlugins tested(file, "host");
  REQUIRE(tested.add("aaaa"));
  for (const auto& open : {above, above / "state", file}) {
    INFO(open);
    ::chmod(open.c_str(), 0777);
    CHECK_FALSE(tested.contains("aaaa"));
    CHECK_FALSE(tested.add("bbbb"));
    ::chmod(open.c_str(), 0755);
    CHECK(tested.contains("aaaa"));
  }
  CHECK_FALSE(tested.contains("bbbb"));
  std::filesystem::rename(file, folder.path() / "real");
  std::filesystem::create_symlink(folder.path() / "real", file);
  CHECK_FALSE(tested.contains("aaaa"));
  CHECK_FALSE(tested.add("bbbb"));
}

TEST_CASE("a FIFO in the place of the state does not hang", "[plugins][tested]") {
  const mixop::test::TemporaryFolder folder;
  const auto file = folder.path() / "tested-plugins";
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  CHECK_FALSE(TestedPlugins(file, "host").contains("aaaa"));
  CHECK_FALSE(TestedPlugins(file, "host").add("aaaa"));
}

TEST_CASE("a state that cannot be written is reported", "[plugins][tested]") {
  const mixop::test::TemporaryFolder folder;
  const auto file = folder.write("file", std::string("x"));
  TestedPlugins blocked(file / "tested-plugins", "host");
  CHECK_FALSE(blocked.add("aaaa"));
  CHECK_FALSE(blocked.contains("aaaa"));
  CHECK_FALSE(TestedPlugins("", "host").add("aaaa"));
}
