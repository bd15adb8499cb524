#include "host/plugins/self_test.hpp"

#include <sstream>

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using Catch::Contains;
using mixop::PluginCheck;
using mixop::PluginFile;
using mixop::PluginRefused;
using mixop::SelfTestReport;

namespace {

PluginFile plugin(const std::string& name) {
  return mixop::check_file(std::filesystem::canonical(std::string(MIXOP_TEST_PLUGIN_DIR)) / (name + ".so"),
                           mixop::HostTraits::current());
}

std::vector<std::string> program() { return {MIXOP_PROGRAM, "plugins", "check", "--trials"}; }

void require_refused(const PluginFile& file, const std::vector<std::string>& child, PluginCheck check,
                     const std::string& message, std::chrono::milliseconds timeout = std::chrono::minutes(1)) {
  try {
    mixop::require_passed(mixop::self_test(file, child, timeout), file);
  } catch (const PluginRefused& refused) {
    CHECK_THAT(refused.what(), Contains(file.path.string()));
    CHECK_THAT(refused.what(), Contains(message));
    CHECK(std::string(mixop::name_of(refused.check())) == mixop::name_of(check));
    return;
  }
  FAIL("accepted; expected: " << message);
}

}  // namespace

TEST_CASE("a third party's operator passes every trial in a process of its own", "[plugins][self_test]") {
  const SelfTestReport report = mixop::self_test(plugin("test_conv"), program());
  CHECK(report.id == "test.conv");
  CHECK(report.version == "1.0.0");
  CHECK(report.trials.size() == 25);
  for (const mixop::Trial& trial : report.trials) {
    INFO(trial.name << ": " << trial.detail);
    CHECK(trial.passed);
  }
  CHECK(report.passed());
  CHECK_NOTHROW(mixop::require_passed(report, plugin("test_conv")));
}

TEST_CASE("data sets and parts are tried, too", "[plugins][self_test]") {
  const SelfTestReport data = mixop::self_test(plugin("test_plain"), program());
  REQUIRE(data.trials.size() == 3);
  CHECK(data.trials[0].name == "opens, or says why not");
  CHECK(data.passed());
  const SelfTestReport parts = mixop::self_test(plugin("test_parts_0"), program());
  REQUIRE(parts.trials.size() == 5);  // one, and two for each kind of alphas
  CHECK(parts.trials[0].name == "creates objects of its own");
  CHECK(parts.passed());
}

TEST_CASE("images of many sizes are decoded in the trial", "[plugins][self_test]") {
  CHECK(mixop::self_test(plugin("test_pictures_0"), program()).passed());
  const auto [name, found] = GENERATE(table<std::string, std::string>({
      {"test_pictures_1", "decode must give one image; record 0 of split 'train' came 0 times"},
      {"test_pictures_2", "decode must give pixels, 1 to 65536 a side; record 1 of split 'train' has 1 x 1048576"},
  }));
  const SelfTestReport report = mixop::self_test(plugin(name), program());
  REQUIRE(report.trials.size() == 3);
  CHECK_FALSE(report.passed());
  CHECK(report.trials[1].detail ==
        "data set 'test.pictures' breaks its contract: " + found + "; its plugin must be fixed");
}

TEST_CASE("a plugin that crashes, exits or hangs is refused", "[plugins][self_test]") {
  require_refused(plugin("test_crashes"), program(), PluginCheck::self_test,
                  "the self-test crashed with signal 11 (Segmentation fault) in its first trial");
  require_refused(plugin("test_exits"), program(), PluginCheck::self_test,
                  "the self-test ended early with exit status 0 in its first trial");
  require_refused(plugin("test_hangs"), program(), PluginCheck::self_test, "the self-test did not end within 3 s",
                  std::chrono::seconds(3));
}

TEST_CASE("what the child's loader refuses is refused here", "[plugins][self_test]") {
  require_refused(plugin("test_init_fails"), program(), PluginCheck::init, "init failed: no licence");
}

TEST_CASE("a trial that fails is a refusal with the trial's name", "[plugins][self_test]") {
  const PluginFile file = plugin("test_breaks");
  const SelfTestReport report = mixop::self_test(file, program());
  CHECK_FALSE(report.passed());
  CHECK_THROWS_WITH(mixop::require_passed(report, file),
                    Contains("'test.plain' fails the trial 'opens, or says why not': data set 'test.plain': the open "
                             "that breaks. Run `mixop plugins check " +
                             file.path.string() + "` for all of them"));
}

TEST_CASE("where the child stopped is reported", "[plugins][self_test]") {
  const PluginFile file = plugin("test_plain");
  require_refused(file, {"/bin/sh", "-c", "exit 5"}, PluginCheck::self_test,
                  "the self-test ended early with exit status 5 while it was loaded");
  require_refused(file, {"/bin/sh", "-c", "head -c 3000000 /dev/zero; printf '\n@mixop-trial\tend\n'"},
                  PluginCheck::self_test,
                  "it printed more than 1 MiB in the self-test, of which 1951442 bytes were not read, so what it passed "
                  "is not known; let it print less");
  require_refused(file,
                  {"/bin/sh", "-c", "printf '@mixop-trial\\tplugin\\ta\\t1\\n@mixop-trial\\tpassed\\top\\tcost\\t\\n'"},
                  PluginCheck::self_test, "the self-test ended early with exit status 0 after 'op: cost'");
}

TEST_CASE("a crash leaves the trials before it in the report", "[plugins][self_test]") {
  const SelfTestReport report = mixop::self_test(
      plugin("test_plain"),
      {"/bin/sh", "-c",
       "printf '@mixop-trial\\tplugin\\ta\\t1\\n@mixop-trial\\tfailed\\top\\tcost\\tit counts two\\n'; kill -SEGV $$"});
  REQUIRE(report.trials.size() == 1);
  CHECK(report.trials[0].detail == "it counts two");
  CHECK(report.broken_off == "the self-test crashed with signal 11 (Segmentation fault) after 'op: cost'");
  CHECK_FALSE(report.passed());
}

TEST_CASE("what a child writes is what its parent reads, whatever it prints besides", "[plugins][self_test]") {
  std::ostringstream out;
  mixop::TrialWriter writer(out);
  writer.plugin("acme.op", "1.0.0");
  out << "loading weights...";
  writer.trial({"acme.op", "cost", true, ""});
  writer.trial({"acme.op", "determinism", false, "two lines\nand\ta tab"});
  writer.end();
  const PluginFile file = plugin("test_plain");
  const mixop::test::TemporaryFolder folder;
  const auto text = folder.write("child", out.str());
  const SelfTestReport report = mixop::self_test(file, {"/bin/sh", "-c", "cat " + text.string()});
  CHECK(report.id == "acme.op");
  CHECK(report.version == "1.0.0");
  REQUIRE(report.trials.size() == 2);
  CHECK(report.trials[0].passed);
  CHECK_FALSE(report.trials[1].passed);
  CHECK(report.trials[1].detail == "two lines and a tab");
}
