#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include "host/cli/all_commands.hpp"
#include "host/json/json.hpp"
#include "host/process/child_process.hpp"
#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using Catch::Contains;
using mixop::Error;
using mixop::ErrorCode;
using mixop::test::TemporaryFolder;

namespace {

struct Answer {
  int code = 0;
  std::string out, messages;
};

// What goes to a stream while this lives.
class Captured {
 public:
  explicit Captured(std::ostream& stream) : stream_(stream), kept_(stream.rdbuf(buffer_.rdbuf())) {}
  ~Captured() { stream_.rdbuf(kept_); }
  std::string text() const { return buffer_.str(); }

 private:
  std::ostringstream buffer_;
  std::ostream& stream_;
  std::streambuf* kept_;
};

// The command in this process, where it needs no child.
Answer run(const std::vector<std::string>& arguments) {
  const Captured out(std::cout), messages(std::cerr);
  const int code = mixop::cli::plugins_command(arguments);
  return {code, out.text(), messages.text()};
}

// The command as users run it.
mixop::ChildResult program(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {MIXOP_PROGRAM, "plugins"});
  return mixop::run_child(arguments, std::chrono::minutes(2));
}

std::string plugin(const std::string& name) { return std::string(MIXOP_TEST_PLUGIN_DIR) + "/" + name + ".so"; }

// Nothing is written into the user's state while this lives.
class PrivateState {
 public:
  PrivateState() { ::setenv("XDG_STATE_HOME", folder_.path().c_str(), 1); }
  ~PrivateState() { ::unsetenv("XDG_STATE_HOME"); }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

const mixop::JsonValue& member(const mixop::JsonValue& value, const char* key) {
  const mixop::JsonValue* found = value.find(key);
  if (found == nullptr) throw std::runtime_error(std::string("no member ") + key);
  return *found;
}

}  // namespace

TEST_CASE("plugins prints its usage", "[plugins][cli]") {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--help"}, {"check", "--help"}, {"-h"}}) {
    CHECK(run(words).code == 0);
    CHECK_THAT(run(words).out, Contains("mixop plugins check FILE"));
    CHECK_THAT(run(words).out, Contains("--plugin-dir PATH"));
  }
}

TEST_CASE("wrong usage of plugins is refused", "[plugins][cli]") {
  CHECK_THROWS_WITH(run({}), Contains("plugins: expected list, check, lock, new or prefix\nUsage: mixop plugins list"));
  CHECK_THROWS_WITH(run({"remove"}), Contains("plugins: expected list, check, lock, new or prefix, found 'remove'"));
  CHECK_THROWS_WITH(run({"chekc"}), Contains("found 'chekc'; did you mean 'check'?"));
  CHECK_THROWS_WITH(run({"--json", "list"}), Contains("unknown option '--json'"));
  CHECK_THROWS_WITH(run({"list", "x"}), Contains("unexpected argument 'x'\nUsage: mixop plugins list"));
  CHECK_THROWS_WITH(run({"check"}), Contains("plugins check: a plugin's file is missing\nUsage: mixop plugins check"));
  CHECK_THROWS_WITH(run({"list", "--jso"}), Contains("unknown option '--jso'; did you mean '--json'?"));
  CHECK_THROWS_WITH(run({"check", "/x.so", "--timeout", "0"}),
                    "plugins check: --timeout expects 1 to 86400 seconds, found 0");
  CHECK_THROWS_WITH(run({"new", "op"}), Contains("plugins new: expected a kind and a name, such as op acme.ghost_conv\nUsage: mixop"));
  CHECK_THROWS_WITH(run({"new", "spce", "acme.x"}), Contains("found 'spce'; did you mean 'space'?"));
  try {
    run({"remove"});
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::usage);
  }
}

TEST_CASE("plugins new writes a project", "[plugins][cli]") {
  const TemporaryFolder folder;
  const std::string project = (folder.path() / "p").string();
  CHECK_THAT(run({"new", "op", "acme.conv", "--out", project, "--plugin-dir", project}).out,
             Contains("wrote " + project));
  CHECK(std::filesystem::exists(folder.path() / "p" / "conv.cpp"));
}

TEST_CASE("plugins check prints every check and trial of a sound plugin", "[plugins][cli]") {
  const auto result = program({"check", plugin("test_conv")});
  CHECK(result.code == 0);
  CHECK_THAT(result.output, Contains("ok      owner and mode\n"));
  CHECK_THAT(result.output,
             Contains("ok      self-test\nok      test.conv: shape in training and evaluation, stride 1\n"));
  CHECK_THAT(result.output, !Contains("FAILED"));
}

TEST_CASE("plugins check ends with exit code 4 at the check that failed", "[plugins][cli]") {
  const auto result = program({"check", plugin("test_init_fails")});
  CHECK(result.code == 4);
  CHECK_THAT(result.output, Contains("ok      components\nFAILED  init\n"));
  const auto trial = program({"check", plugin("test_breaks")});
  CHECK(trial.code == 4);
  CHECK_THAT(trial.output,
             Contains("FAILED  test.plain: opens, or says why not\n        data set 'test.plain': the open"));
}

TEST_CASE("plugins check prints JSON", "[plugins][cli]") {
  const auto sound =
      mixop::parse_json(program({"check", "--json", plugin("test_plain")}).output, "x", ErrorCode::failed);
  CHECK(member(sound, "passed").boolean);
  CHECK(member(sound, "id").text == "test.plain");
  CHECK(member(sound, "sha256").text.size() == 64);
  // All but the lock file, which nobody asked for.
  CHECK(member(sound, "checks").items.size() == 17);
  CHECK(member(member(sound, "trials").items.at(0), "trial").text == "opens, or says why not");
  const auto result = program({"check", "--json", plugin("test_init_fails")});
  CHECK(result.code == 4);
  const auto refused = mixop::parse_json(result.output, "x", ErrorCode::failed);
  CHECK_FALSE(member(refused, "passed").boolean);
  CHECK(member(member(refused, "checks").items.back(), "message").text == "init failed: no licence");
}

TEST_CASE("a plugin is tried before its first use alone", "[plugins][cli]") {
  const PrivateState state;
  const std::vector<std::string> list = {"list", "--json", "--plugin-dir", plugin("test_plain")};
  const auto first = program(list);
  CHECK(first.code == 0);
  const auto listed = mixop::parse_json(first.output, "x", ErrorCode::failed);
  const auto own = std::find_if(listed.items.begin(), listed.items.end(),
                                [](const auto& item) { return member(item, "id").text == "test.plain"; });
  REQUIRE(own != listed.items.end());
  CHECK(member(*own, "tier").text == "none");
  const std::string tested = mixop::test::content_of(state.path() / "mixop" / "tested-plugins");
  CHECK_THAT(tested, Contains(member(*own, "sha256").text));
  CHECK(program(list).output == first.output);
  CHECK(mixop::test::content_of(state.path() / "mixop" / "tested-plugins") == tested);
}

TEST_CASE("a plugin that fails its trial is not loaded", "[plugins][cli]") {
  const PrivateState state;
  CHECK(program({"list", "--plugin-dir", plugin("test_crashes")}).code == 4);
  CHECK_FALSE(std::filesystem::exists(state.path() / "mixop"));
}

TEST_CASE("plugins list names what is refused and why", "[plugins][cli]") {
  const PrivateState state;
  const TemporaryFolder folder;
  folder.write("a.so", std::string("no library"));
  const Answer text = run({"list", "--plugin-dir", folder.path().string()});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, Contains("refused: " + (folder.path() / "a.so").string() + "\n  elf: expected an ELF shared"));
  CHECK_THAT(text.messages,
             Contains("mixop: warning: plugin " + (folder.path() / "a.so").string() + " is refused (elf)"));
  const Answer json = run({"list", "--json", "--plugin-dir", folder.path().string()});
  for (const auto& row : mixop::parse_json(json.out, "x", ErrorCode::failed).items)
    CHECK(member(row, "path").text != (folder.path() / "a.so").string());
  CHECK_THAT(json.messages, Contains("is refused (elf)"));
}

TEST_CASE("plugins lock writes what is loaded, and --locked uses that alone", "[plugins][cli][lock]") {
  const PrivateState state;
  const TemporaryFolder folder;
  const std::string lock = (folder.path() / "plugins.lock").string();
  const auto written = program({"lock", "--out", lock, "--plugin-dir", plugin("test_plain")});
  CHECK(written.code == 0);
  CHECK_THAT(written.output, Contains("wrote " + lock + ": ") && !Contains("added"));
  CHECK(program({"list", "--locked=" + lock, "--plugin-dir", plugin("test_plain")}).code == 0);
  CHECK(program({"check", plugin("test_plain"), "--locked=" + lock}).output.find("ok      lock file\n") !=
        std::string::npos);

  const auto other = program({"check", "--locked=" + lock, "--json", plugin("test_parts_0")});
  CHECK(other.code == 4);
  const auto answer = mixop::parse_json(other.output, "x", ErrorCode::failed);
  CHECK(member(member(answer, "checks").items.back(), "check").text == "lock file");
  CHECK(program({"list", "--locked=" + lock, "--plugin-dir", plugin("test_parts_0")}).code == 4);
  // Without the folder of test_plain it is missing.
  CHECK(program({"list", "--locked=" + lock}).code == 4);

  const auto again = program({"lock", "--out", lock});
  CHECK(again.code == 0);
  CHECK_THAT(again.output, Contains("\n  removed test.plain 1.0.0\n"));
  CHECK(program({"list", "--locked=" + lock}).code == 0);
}

TEST_CASE("an unlisted plugin of a folder is a warning", "[plugins][cli][lock]") {
  const PrivateState state;
  const TemporaryFolder folder;
  const std::string lock = (folder.path() / "plugins.lock").string();
  REQUIRE(program({"lock", "--out", lock}).code == 0);
  const auto file = folder.write("test_plain.so", mixop::test::content_of(plugin("test_plain")));
  const Answer answer = run({"list", "--locked=" + lock, "--plugin-dir", folder.path().string()});
  CHECK(answer.code == 0);
  CHECK_THAT(answer.messages, Contains("mixop: warning: plugin " + file.string() + " is refused (lock file)"));
  CHECK_THAT(answer.out, !Contains("test.plain 1.0.0"));
}

TEST_CASE("--locked alone means plugins.lock of the current folder", "[plugins][cli][lock]") {
  const std::string expected = (std::filesystem::current_path() / "plugins.lock").string() + ": there is no such lock";
  CHECK_THROWS_WITH(run({"list", "--locked"}), Contains(expected));
  // The word behind it is not its file.
  CHECK_THROWS_WITH(run({"check", "--locked", plugin("test_plain")}), Contains(expected));
  CHECK_THROWS_WITH(run({"list", "--locked="}), Contains("'--locked'") && Contains("Usage: mixop plugins list"));
}

TEST_CASE("wrong lock files end with the exit code of their kind", "[plugins][cli][lock]") {
  const TemporaryFolder folder;
  const auto file = folder.write("mine.lock", std::string("mine"));
  CHECK(program({"list", "--locked=" + (folder.path() / "none").string()}).code == 2);
  CHECK(program({"list", "--locked=" + file.string()}).code == 3);
  CHECK(program({"lock", "--out", file.string()}).code == 2);
  CHECK(mixop::test::content_of(file) == "mine");
}
