#include "host/config/resolve.hpp"

#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;
using test::error_of;
using test::TemporaryFolder;

namespace {

const std::string kPresets = MIXOP_SOURCE_DIR "/host/presets";

std::string problem(const ConfigRequest& request) {
  return error_of(ErrorCode::usage, [&] { resolve_config(request, test::sample_catalog()); });
}

}  // namespace

TEST_CASE("an unknown preset lists the known ones", "[config]") {
  CHECK(problem({"darts-cifar", {}, kPresets}) ==
        "unknown preset 'darts-cifar'; did you mean 'darts-cifar10'? (known: darts-cifar10, quick); a file's name ends "
        "in "
        ".json or holds a '/'");
  CHECK(problem({"quick", {}, "/no/such/folder"}) ==
        "/no/such/folder: the folder of presets cannot be read: No such file or directory");
}

TEST_CASE("a missing config file is named", "[config]") {
  CHECK(problem({"absent.json", {}, kPresets}) == "absent.json: no such file");
  CHECK(problem({"no/such", {}, kPresets}) == "no/such: no such file");
}

TEST_CASE("reserved fields must be text and presets stand alone", "[config]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("a.json", std::string("{\"summary\": 3}")).string();
  CHECK(problem({file, {}, kPresets}) == file + ":1:13: summary: expected text, found 3");
  const std::string base = folder.write("b.json", std::string("{\"preset\": \"quik\"}")).string();
  CHECK(problem({base, {}, kPresets}).rfind(base + ":1:12: unknown preset 'quik'; did you mean 'quick'?", 0) == 0);
  CHECK(problem({"b", {}, folder.path()}) == base + ":1:12: a preset cannot build on another preset");
}

TEST_CASE("the layers are defaults, preset, file, sets", "[config]") {
  const TemporaryFolder folder;
  folder.write("base.json", std::string("{\"seed\": 3, \"space\": {\"channels\": 3, \"layers\": 3}}"));
  const auto file =
      folder.write("mine.json", std::string("{\"preset\": \"base\", \"space\": {\"channels\": 4, \"layers\": 4}}"));
  const Config config = resolve_config({file.string(), {"space.layers=5"}, folder.path()}, {});
  CHECK(config.seed == 3);
  CHECK(config.space.channels == 4);
  CHECK(config.space.layers == 5);
  CHECK(config.space.nodes == 4);
}

TEST_CASE("no source means the defaults", "[config]") {
  CHECK(resolve_config({"", {}, kPresets}, {}) == Config{});
  CHECK(config_source({"", {}, kPresets}).empty());
  CHECK(config_source({"quick", {}, kPresets}) == kPresets + "/quick.json");
  CHECK(config_source({"./x", {}, kPresets}) == "./x");
}

TEST_CASE("the preset darts-cifar10 holds the published hyper-parameters", "[config]") {
  CHECK(resolve_config({"darts-cifar10", {}, kPresets}, {}) == Config{});
}

TEST_CASE("every preset resolves and says what it is", "[config]") {
  const auto presets = list_presets(kPresets);
  REQUIRE(presets.size() >= 2);
  CHECK(presets[0].name == "darts-cifar10");
  for (const PresetInfo& preset : presets) {
    CHECK_FALSE(preset.summary.empty());
    CHECK_NOTHROW(resolve_config({preset.name, {}, kPresets}, {}));
  }
}
