#include "host/plugins/plugin_lock.hpp"

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using Catch::Contains;
using mixop::Error;
using mixop::ErrorCode;
using mixop::PluginLock;
using mixop::PluginRefused;
using mixop::PluginRegistry;
using mixop::test::content_of;
using mixop::test::TemporaryFolder;

namespace {

std::filesystem::path copy(const std::string& name, const TemporaryFolder& folder) {
  return folder.write(name + ".so", content_of(std::filesystem::path(MIXOP_TEST_PLUGIN_DIR) / (name + ".so")));
}

PluginRegistry registry_of(const std::vector<std::filesystem::path>& files) {
  PluginRegistry registry;
  for (const auto& file : files) registry.load_file(file);
  return registry;
}

void require_error(ErrorCode code, const std::string& message, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Contains(message));
    CHECK(static_cast<int>(error.code()) == static_cast<int>(code));
    return;
  }
  FAIL("accepted; expected: " << message);
}

std::string entry(const std::string& id, char digit = 'a') {
  return R"({"id": ")" + id + R"(", "version": "1", "file": "a.so", "tier": "none", "sha256": ")" +
         std::string(64, digit) + "\"}";
}

std::string lock_text(const std::string& plugins, const std::string& format = "1") {
  return R"({"format": )" + format + ", \"plugins\": [" + plugins + "]}";
}

// Refuses `text` as a lock file, with the place and what to do.
void require_broken(const std::string& text, const std::string& message) {
  const TemporaryFolder folder;
  const auto file = folder.write("plugins.lock", text);
  require_error(ErrorCode::bad_data, file.string() + ":1:", [&] { PluginLock::read(file); });
  require_error(ErrorCode::bad_data, message, [&] { PluginLock::read(file); });
}

}  // namespace

TEST_CASE("a lock file lists the loaded plugins by id, without their folders", "[plugins][lock]") {
  const TemporaryFolder folder, other;
  const PluginRegistry registry = registry_of({copy("test_plain", folder), copy("test_parts_0", folder)});
  const std::string text = PluginLock::of(registry).text();
  CHECK_THAT(text, Catch::StartsWith("{\n  \"format\": 1,\n  \"plugins\": [\n    {\n      \"id\": \"test.parts\",\n"
                                     "      \"version\": \"1.0.0\",\n      \"file\": \"test_parts_0.so\",\n"
                                     "      \"tier\": \"native\",\n      \"sha256\": \"" +
                                     registry.plugins()[1]->file.sha256 + "\"\n    },\n"));
  CHECK_THAT(text, Catch::EndsWith("\"\n    }\n  ]\n}\n"));
  CHECK_THAT(text, !Contains("/"));
  // The order of loading and the folder do not matter.
  CHECK(PluginLock::of(registry_of({copy("test_parts_0", other), copy("test_plain", other)})).text() == text);
}

TEST_CASE("a lock file reads back as it was written", "[plugins][lock]") {
  const TemporaryFolder folder;
  const PluginLock lock = PluginLock::of(registry_of({copy("test_plain", folder)}));
  const auto file = folder.path() / "plugins.lock";
  lock.write(file);
  lock.write(file);
  CHECK(PluginLock::read(file).text() == lock.text());
  CHECK(content_of(file) == lock.text());
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);  // with the plugin
}

TEST_CASE("a lock file that cannot be written is reported and leaves nothing", "[plugins][lock]") {
  const TemporaryFolder folder;
  const PluginLock lock = PluginLock::of(PluginRegistry());
  const auto nowhere = folder.path() / "no" / "plugins.lock";
  require_error(ErrorCode::usage,
                nowhere.string() + ": cannot be written: the folder " + nowhere.parent_path().string() +
                    " does not exist; make it first",
                [&] { lock.write(nowhere); });
  std::filesystem::create_directory(folder.path() / "folder");
  require_error(ErrorCode::usage, "folder: cannot be written: it is a folder; name a file in it",
                [&] { lock.write(folder.path() / "folder"); });
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("only a lock file is replaced", "[plugins][lock]") {
  const TemporaryFolder folder;
  CHECK_FALSE(PluginLock::replaceable(folder.path() / "plugins.lock").has_value());
  const auto lock = folder.write("plugins.lock", lock_text(entry("acme.a")));
  CHECK(PluginLock::replaceable(lock)->plugins().at(0).id == "acme.a");
  const auto other = folder.write("run.h5", std::string("\x89HDF"));
  require_error(
      ErrorCode::usage,
      other.string() + " exists and is no lock file that can be replaced; remove it, or name another with --out",
      [&] { PluginLock::replaceable(other); });
  require_error(ErrorCode::usage, "is no lock file that can be replaced",
                [&] { PluginLock::replaceable(folder.path()); });
}

TEST_CASE("a new lock file reports what it changes", "[plugins][lock]") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& plugins) {
    return PluginLock::read(folder.write("plugins.lock", lock_text(plugins)));
  };
  const PluginLock old = read(entry("acme.a") + "," + entry("acme.b") + "," + entry("acme.c"));
  const PluginLock now = read(entry("acme.b", 'b') + "," + entry("acme.c") + "," + entry("acme.d"));
  CHECK(now.changes_since(old) == "  changed acme.b 1 to 1\n  added   acme.d 1\n  removed acme.a 1\n");
  CHECK(now.changes_since(now).empty());
}

TEST_CASE("a lock file that is not there is a usage error", "[plugins][lock]") {
  require_error(ErrorCode::usage,
                "/no/plugins.lock: there is no such lock file. Write one with `mixop plugins lock`, or name it with "
                "--locked=FILE",
                [] { PluginLock::read("/no/plugins.lock"); });
}

TEST_CASE("a broken lock file is refused at its line", "[plugins][lock]") {
  require_broken("{", "plugins.lock:1:");
  require_broken("[]",
                 "expected an object, found a list of 0 items. Write the lock file anew with `mixop plugins lock`");
  require_broken(R"({"plugins": []})", "expected 'format', a whole number; found none");
  require_broken(lock_text("", "\"1\""), "'format': expected a whole number, found text '1'");
  require_broken(lock_text("", "2"), "expected lock file format 1, found 2");
  require_broken(R"({"format": 1})", "expected 'plugins', a list; found none");
  require_broken(R"({"format": 1, "plugins": 3})", "'plugins': expected a list, found");
  require_broken(R"({"format": 1, "plugins": [], "x": 1})", "unknown key 'x'");
  require_broken(lock_text("7"), "expected a plugin's object, found");
  require_broken(lock_text("{}"), "expected 'id', a text; found none");
  require_broken(lock_text(R"({"id": 7})"), "'id': expected a text, found");
  require_broken(lock_text(entry("a").insert(1, R"("path": "/", )")), "unknown key 'path'");
  require_broken(lock_text(entry("a", 'A')), "'sha256': expected 64 lower-case hexadecimal digits, found 'AAAA");
  require_broken(lock_text(entry("a") + "," + entry("a")), "the plugin 'a' is listed twice");
}

TEST_CASE("a plugin whose digest is not listed is refused", "[plugins][lock]") {
  const TemporaryFolder folder;
  const auto file = mixop::check_file(copy("test_plain", folder), mixop::HostTraits::current());
  const auto path = folder.write("plugins.lock", lock_text(entry("acme.a")));
  const std::string start = "is refused (lock file): its SHA-256 " + file.sha256 + " is not in " + path.string();
  const std::string end = ". Put the file back that was locked, or accept this one with `mixop plugins lock`";
  require_error(ErrorCode::plugin, start + end, [&] { PluginLock::read(path).require_listed(file); });
  std::string listed = entry("test.plain");
  listed.replace(listed.find("a.so"), 4, "test_plain.so");
  folder.write("plugins.lock", lock_text(listed));
  require_error(ErrorCode::plugin, start + "; for test.plain 1 (test_plain.so) it lists " + std::string(64, 'a') + end,
                [&] { PluginLock::read(path).require_listed(file); });
  PluginLock::of(registry_of({file.path})).write(path);
  CHECK_NOTHROW(PluginLock::read(path).require_listed(file));
}

TEST_CASE("a listed plugin that is not loaded is named", "[plugins][lock]") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "plugins.lock";
  PluginLock::of(registry_of({copy("test_plain", folder), copy("test_parts_0", folder)})).write(path);
  CHECK_NOTHROW(PluginLock::read(path).require_complete(
      registry_of({folder.path() / "test_plain.so", folder.path() / "test_parts_0.so"})));
  require_error(ErrorCode::plugin,
                path.string() +
                    " lists plugins that are not loaded:\n  test.parts 1.0.0 (test_parts_0.so): not found where "
                    "plugins are looked for\nPut them back, or write the lock file anew with `mixop plugins lock`",
                [&] { PluginLock::read(path).require_complete(registry_of({folder.path() / "test_plain.so"})); });

  std::filesystem::permissions(folder.path() / "test_plain.so", std::filesystem::perms(0666));
  PluginRegistry registry;
  registry.load_folder(folder.path());
  require_error(ErrorCode::plugin,
                "(test_plain.so): " + (folder.path() / "test_plain.so").string() + " is refused (owner and mode)\nPut",
                [&] { PluginLock::read(path).require_complete(registry); });
}
