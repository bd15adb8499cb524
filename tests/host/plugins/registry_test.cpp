#include "host/plugins/registry.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using Catch::Contains;
using mixop::Error;
using mixop::ErrorCode;
using mixop::PluginCheck;
using mixop::PluginRefused;
using mixop::PluginRegistry;
using mixop::test::TemporaryFolder;

namespace {

// Copies a test plugin, so that folders can hold a choice of them.
std::filesystem::path copy(const std::string& name, const TemporaryFolder& folder, const std::string& as = "") {
  const auto from = std::filesystem::path(MIXOP_TEST_PLUGIN_DIR) / (name + ".so");
  return folder.write((as.empty() ? name : as) + ".so", mixop::test::content_of(from));
}

void require_refused(PluginRegistry& registry, const std::filesystem::path& file, PluginCheck check,
                     const std::string& message) {
  try {
    registry.load_file(file);
  } catch (const PluginRefused& refused) {
    CHECK_THAT(refused.what(), Contains(file.string()));
    CHECK_THAT(refused.what(), Contains(message));
    CHECK(std::string(mixop::name_of(refused.check())) == mixop::name_of(check));
    return;
  }
  FAIL("accepted; expected: " << message);
}

}  // namespace

TEST_CASE("a data set plugin in C is loaded, and found by its name", "[plugins][registry]") {
  const TemporaryFolder folder;
  PluginRegistry registry;
  const mixop::PluginInfo& plugin = registry.load_file(copy("test_plain", folder));
  CHECK(plugin.id == "test.plain");
  CHECK(plugin.version == "1.0.0");
  CHECK(plugin.summary == "Two pixels.");
  CHECK(plugin.file.note.tier == MIXOP_TIER_NONE);
  REQUIRE(plugin.components.size() == 1);
  CHECK(plugin.components[0].interface == MIXOP_DATASET_INTERFACE);
  CHECK(registry.dataset("test.plain").expects == std::string("nothing: it is drawn"));
  CHECK(&registry.owner(MIXOP_DATASET_INTERFACE, "test.plain") == &plugin);
  CHECK(registry.names(MIXOP_DATASET_INTERFACE) == std::vector<std::string>{"test.plain"});
  CHECK(registry.names(MIXOP_OPERATOR_INTERFACE).empty());
}

TEST_CASE("a part of a strategy is built by its factory with checked options", "[plugins][registry]") {
  const TemporaryFolder folder;
  PluginRegistry registry;
  registry.load_file(copy("test_parts_0", folder));
  const MixopFactory& factory = registry.factory("mixop.stopper/1", "test.part");
  CHECK(factory.option_count == 1);
  CHECK_THROWS_WITH(registry.factory(MIXOP_OPERATOR_INTERFACE, "test.part"), Contains("unknown operator 'test.part'"));
  CHECK_THROWS_WITH(registry.factory("mixop.stopper/1", "test.parts"),
                    "unknown stopper 'test.parts'; did you mean 'test.part'? Known: test.part");
}

TEST_CASE("a component of a C interface has no factory", "[plugins][registry]") {
  const TemporaryFolder folder;
  PluginRegistry registry;
  registry.load_file(copy("test_plain", folder));
  CHECK_THROWS_WITH(registry.factory(MIXOP_DATASET_INTERFACE, "test.plain"),
                    "'test.plain' of mixop.dataset/1 is no C++ interface and has no factory");
}

TEST_CASE("an unknown name lists the known ones", "[plugins][registry]") {
  const TemporaryFolder folder;
  PluginRegistry registry;
  registry.load_file(copy("test_plain", folder));
  CHECK_THROWS_WITH(registry.dataset("test.plane"),
                    "unknown dataset 'test.plane'; did you mean 'test.plain'? Known: test.plain");
  CHECK_THROWS_WITH(registry.op("conv"), "unknown operator 'conv'; known: none. Where a plugin of its own brings it, name that by --plugin-dir");
  CHECK_THROWS_WITH(registry.strategy("darts"), "unknown strategy 'darts'; known: none. Where a plugin of its own brings it, name that by --plugin-dir");
  try {
    registry.op("conv");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::usage);
  }
}

TEST_CASE("a file that is loaded already is left alone", "[plugins][registry]") {
  const TemporaryFolder folder;
  PluginRegistry registry;
  const auto file = copy("test_plain", folder);
  std::filesystem::create_symlink(file, folder.path() / "zlink.so");
  const mixop::PluginInfo* first = &registry.load_file(file);
  CHECK(&registry.load_file(file) == first);
  registry.load_folder(folder.path());
  CHECK(registry.plugins().size() == 1);
  CHECK(registry.refused().empty());
}

TEST_CASE("two plugins of one id are refused, naming both files", "[plugins][registry]") {
  const TemporaryFolder folder;
  PluginRegistry registry;
  const auto first = copy("test_plain", folder);
  registry.load_file(first);
  require_refused(
      registry, copy("test_same_id", folder), PluginCheck::descriptor,
      "its id 'test.plain' is taken by " + first.string() + ", which was found first. Remove one of the two");
}

TEST_CASE("of two components of one name the first has it, the other its plugin's before it", "[plugins][registry]") {
  const TemporaryFolder folder;
  PluginRegistry registry;
  const auto first = copy("test_plain", folder), second = copy("test_same_name", folder);
  registry.load_file(first);
  registry.load_file(second);
  const auto owner = [&](const std::string& name) { return registry.owner(MIXOP_DATASET_INTERFACE, name).file.path; };
  CHECK(owner("test.plain") == first);
  CHECK(owner("test.plain/test.plain") == first);
  CHECK(owner("test.other/test.plain") == second);
  CHECK(registry.names(MIXOP_DATASET_INTERFACE) == std::vector<std::string>{"test.other/test.plain", "test.plain"});
  REQUIRE(registry.clashes().size() == 1);
  CHECK(registry.clashes().front() == "the dataset 'test.plain' of " + second.string() + " has the name of one of " +
                                          first.string() +
                                          ", which it does not take the place of; it is used as "
                                          "'test.other/test.plain'");
  CHECK_THROWS_WITH(registry.dataset("test.third/test.plain"), Contains("unknown dataset 'test.third/test.plain'"));
}

TEST_CASE("mixop's own plugins have their names, whatever a user's folder before them offers", "[plugins][registry]") {
  const TemporaryFolder folder, installed;
  const auto third = copy("test_same_name", folder);
  const auto own = installed.path() / "mixop_plain.so";
  std::filesystem::copy_file(copy("test_plain", installed), own);
  std::filesystem::remove(installed.path() / "test_plain.so");
  PluginRegistry registry;
  registry.load({{third, true}, {installed.path(), false, true}});
  CHECK(registry.owner(MIXOP_DATASET_INTERFACE, "test.plain").file.path == own);
  CHECK(registry.owner(MIXOP_DATASET_INTERFACE, "test.other/test.plain").file.path == third);
  CHECK(registry.plugins().size() == 2);
}

TEST_CASE("a library that does not load is refused with the loader's reason", "[plugins][registry]") {
  const TemporaryFolder folder;
  std::string bytes = mixop::test::content_of(std::filesystem::path(MIXOP_TEST_PLUGIN_DIR) / "test_parts_0.so");
  const auto needed = bytes.find("libstdc++.so.6");
  REQUIRE(needed != std::string::npos);
  bytes.replace(needed, 14, "libstdqqq.so.6");
  PluginRegistry registry;
  require_refused(registry, folder.write("a.so", bytes), PluginCheck::load, "loading failed: ");
  require_refused(registry, folder.path() / "a.so", PluginCheck::load,
                  "libstdqqq.so.6: cannot open shared object file");
}

TEST_CASE("a library without the entry symbol is refused", "[plugins][registry]") {
  const TemporaryFolder folder;
  std::string bytes = mixop::test::content_of(std::filesystem::path(MIXOP_TEST_PLUGIN_DIR) / "test_plain.so");
  const auto name = bytes.find(MIXOP_PLUGIN_SYMBOL);
  REQUIRE(name != std::string::npos);
  bytes[name] = 'M';
  PluginRegistry registry;
  require_refused(registry, folder.write("a.so", bytes), PluginCheck::exports,
                  "exports 'Mixop_plugin_v1'; expected the function mixop_plugin_v1 alone");
}

TEST_CASE("a file that changes between its checks and its loading is refused", "[plugins][registry]") {
  const TemporaryFolder folder;
  const auto file = copy("test_plain", folder);
  PluginRegistry registry(mixop::HostTraits::current(),
                          [&](const mixop::PluginFile& checked) { std::ofstream(checked.path, std::ios::app) << '!'; });
  require_refused(registry, file, PluginCheck::load, "changed after it was checked: its SHA-256 was ");
  CHECK(registry.plugins().empty());
}

TEST_CASE("a plugin whose init fails is refused with its message", "[plugins][registry]") {
  const TemporaryFolder folder;
  PluginRegistry registry;
  require_refused(registry, copy("test_init_fails", folder), PluginCheck::init, "init failed: no licence");
}

TEST_CASE("what a plugin logs goes to stderr, without its debug lines", "[plugins][registry]") {
  const TemporaryFolder folder;
  const auto plugin = copy("test_logs", folder);
  const auto text = folder.path() / "stderr";
  PluginRegistry registry;
  std::fflush(stderr);
  const int own = ::dup(STDERR_FILENO);
  const int file = ::open(text.c_str(), O_WRONLY | O_CREAT, 0600);
  ::dup2(file, STDERR_FILENO);
  registry.load_file(plugin);
  std::fflush(stderr);
  ::dup2(own, STDERR_FILENO);
  ::close(own);
  ::close(file);
  CHECK(mixop::test::content_of(text) ==
        "mixop: plugin: two pixels are ready\nmixop: plugin: warning: both are grey\n");
}

TEST_CASE("a plugin whose factory fails is refused", "[plugins][registry]") {
  const TemporaryFolder folder;
  PluginRegistry registry;
  require_refused(registry, copy("test_parts_1", folder), PluginCheck::factory,
                  "creating the stopper 'test.part' failed: no part of patience 3");
  require_refused(registry, copy("test_parts_2", folder), PluginCheck::factory,
                  "creating the stopper 'test.part' returned NULL");
  CHECK(registry.plugins().empty());
}

TEST_CASE("a refused plugin of a folder does not stop the others", "[plugins][registry]") {
  const TemporaryFolder folder;
  copy("test_init_fails", folder);
  copy("test_plain", folder);
  folder.write("a.so", std::string("no library"));
  folder.write("notes.txt", std::string("not looked at"));
  PluginRegistry registry;
  registry.load_folder(folder.path());
  CHECK(registry.plugins().size() == 1);
  REQUIRE(registry.refused().size() == 2);
  CHECK(registry.refused()[0].path == folder.path() / "a.so");
  CHECK(registry.refused()[0].reason.check() == PluginCheck::elf);
  CHECK(registry.refused()[1].components.at(0).name == "test.init");
}

TEST_CASE("asking for a component of a refused plugin throws its refusal", "[plugins][registry]") {
  const TemporaryFolder folder;
  copy("test_init_fails", folder);
  PluginRegistry registry;
  registry.load_folder(folder.path());
  CHECK_THROWS_AS(registry.dataset("test.init"), PluginRefused);
  CHECK_THROWS_WITH(registry.dataset("test.init"), Contains("init failed: no licence"));
}

TEST_CASE("an unknown name is refused with the refused plugins, which may have had it", "[plugins][registry]") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.so", std::string("no library"));
  PluginRegistry registry;
  registry.load_folder(folder.path());
  CHECK_THROWS_WITH(registry.op("conv"), Contains("unknown operator 'conv'; known: none\nplugin " + file.string() +
                                                  " is refused (elf): expected an ELF shared library"));
}

TEST_CASE("a refused file that the user named stops the program", "[plugins][registry]") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.so", std::string("no library"));
  PluginRegistry registry;
  CHECK_THROWS_AS(registry.load({{file, true}}), PluginRefused);
  CHECK_NOTHROW(registry.load({{folder.path(), false}, {folder.path() / "missing", false}}));
}

TEST_CASE("what runs before the load may refuse a plugin", "[plugins][registry]") {
  const TemporaryFolder folder;
  std::string seen;
  PluginRegistry registry(mixop::HostTraits::current(), [&](const mixop::PluginFile& file) {
    seen = file.sha256;
    throw PluginRefused(PluginCheck::self_test, file.path, "not today");
  });
  require_refused(registry, copy("test_plain", folder), PluginCheck::self_test, "(self-test): not today");
  CHECK(seen.size() == 64);
}

TEST_CASE("a file that is swapped between its checks and its load does not run", "[plugins][registry]") {
  const TemporaryFolder folder;
  const auto file = copy("test_plain", folder), other = copy("test_parts_0", folder, "other");
  PluginRegistry registry(mixop::HostTraits::current(),
                          [&](const mixop::PluginFile& checked) { std::filesystem::rename(other, checked.path); });
  require_refused(registry, file, PluginCheck::load, "was replaced by another file after it was checked");
  CHECK(registry.plugins().empty());
}

TEST_CASE("a plugin is loaded from the file that was checked, and messages name its path", "[plugins][registry]") {
  const TemporaryFolder folder;
  const auto file = copy("test_plain", folder);
  const mixop::PluginFile checked = mixop::check_file(file, mixop::HostTraits::current());
  CHECK_FALSE(checked.searches_folder);
  std::filesystem::rename(copy("test_parts_0", folder), file);
  const auto own = mixop::test::content_of(std::filesystem::path(MIXOP_TEST_PLUGIN_DIR) / "test_plain.so");
  CHECK(mixop::test::content_of(checked.opened->path()) == own);
  PluginRegistry registry;
  CHECK(registry.load_file(file).file.path == file);
}

TEST_CASE("LibTorch's CUDA libraries are loaded for a plugin that links them", "[plugins][registry]") {
  const TemporaryFolder folder;
  PluginRegistry registry;
  CHECK(registry.load_file(copy("test_needs_cuda", folder)).id == "test.plain");
}
