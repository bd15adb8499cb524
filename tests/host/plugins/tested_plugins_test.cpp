#include "host/plugins/tested_plugins.hpp"

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

TEST_CASE("a state that cannot be written is reported", "[plugins][tested]") {
  const mixop::test::TemporaryFolder folder;
  const auto file = folder.write("file", std::string("x"));
  TestedPlugins blocked(file / "tested-plugins", "host");
  CHECK_FALSE(blocked.add("aaaa"));
  CHECK_FALSE(blocked.contains("aaaa"));
  CHECK_FALSE(TestedPlugins("", "host").add("aaaa"));
}
