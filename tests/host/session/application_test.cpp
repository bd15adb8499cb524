#include "host/session/application.hpp"
#include "host/config/resolve.hpp"
#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;

TEST_CASE("every preset resolves with the options of the loaded plugins, and says what it is", "[config][cli]") {
  const std::vector<std::filesystem::path> folders{MIXOP_SOURCE_DIR "/host/presets"};
  const OptionCatalog catalog = option_catalog(test::plugins());
  const auto presets = list_presets(folders);
  REQUIRE(presets.size() >= 7);
  CHECK(presets[0].name == "dartopti-cifar10-train");
  for (const PresetInfo& preset : presets) {
    INFO(preset.name);
    CHECK_FALSE(preset.summary.empty());
    REQUIRE((preset.command == "search" || preset.command == "train"));
    const RunKind kind = preset.command == "train" ? RunKind::train : RunKind::search;
    CHECK_NOTHROW(resolve_config({preset.name, {}, folders, kind}, catalog));
  }
}

}  // namespace
