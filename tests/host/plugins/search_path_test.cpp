#include "host/plugins/search_path.hpp"

#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using mixop::plugin_places;

TEST_CASE("plugins are searched in the named places, then the environment's, then the installed ones",
          "[plugins][path]") {
  const mixop::test::TemporaryFolder folder;
  const auto file = folder.write("a.so", std::string("x"));
  const auto places = plugin_places({file.string(), folder.path().string()}, "/one::/two", "/installed");
  REQUIRE(places.size() == 5);
  CHECK(places[0].path == file);
  CHECK(places[0].required);
  CHECK(places[1].path == folder.path());
  CHECK_FALSE(places[1].required);
  CHECK(places[2].path == "/one");
  CHECK(places[3].path == "/two");
  CHECK(places[4].path == "/installed");
  for (const auto& place : plugin_places({}, nullptr, "/installed")) CHECK(place.path == "/installed");
}

TEST_CASE("a relative entry of MIXOP_PLUGIN_PATH is a usage error", "[plugins][path]") {
  CHECK_THROWS_WITH(
      plugin_places({}, "/one:plugins", "/installed"),
      "MIXOP_PLUGIN_PATH: expected absolute folders separated by colons, found 'plugins'. Write the whole "
      "path: what a relative one means depends on the current folder");
}

TEST_CASE("a --plugin-dir that does not exist is a usage error", "[plugins][path]") {
  CHECK_THROWS_WITH(plugin_places({"/nowhere/at/all"}, nullptr, "/installed"),
                    "--plugin-dir '/nowhere/at/all': expected a folder of plugins or a plugin file, found nothing at "
                    "/nowhere/at/all");
  CHECK_THROWS_WITH(plugin_places({""}, nullptr, "/installed"),
                    "--plugin-dir '': expected a folder of plugins or a plugin file, found an empty name");
}

TEST_CASE("a relative --plugin-dir is made absolute", "[plugins][path]") {
  CHECK(plugin_places({"."}, nullptr, "/installed")[0].path.is_absolute());
}

TEST_CASE("the installed folder lies beside the program's", "[plugins][path]") {
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  CHECK(mixop::installed_plugin_folder() == program.parent_path().parent_path() / "lib" / "mixop" / "plugins");
}
