#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/host/search/altered_run.hpp"
#include "tests/host/search/watched_search.hpp"
#include "tests/support/small_search.hpp"

namespace {

using namespace mixop;

/// Runs a search in one go and in two, and compares the archives.
void check_resumed(const Config& config, const ComponentOptions& options = {}) {
  const test::TemporaryFolder folder;
  const auto whole = folder.path() / "whole.h5", stopped = folder.path() / "stopped.h5";
  REQUIRE(test::run_to(config, whole, -1, false, options) == RunEnd::finished);
  REQUIRE(test::run_to(config, stopped, 5, false, options) == RunEnd::interrupted);
  REQUIRE(test::run_to(config, stopped, -1, /*resume=*/true, options) == RunEnd::finished);
  CHECK(test::differences(whole, stopped).empty());
}

TEST_CASE("a search of every strategy is resumed to the same bits", "[strategy][resume]") {
  for (const std::string& strategy : test::plugins().names(MIXOP_STRATEGY_INTERFACE)) {
    INFO(strategy);
    Config config = test::small_config(2);
    config.search.strategy = strategy;
    check_resumed(config, {{"partial_channels", {{"divisor", "2"}}}});
  }
}

TEST_CASE("searches with stoppers and a cost are resumed to the same bits", "[strategy][resume]") {
  for (const char* stopper : {"skip_count", "rank_stable", "patience"}) {
    INFO(stopper);
    Config config = test::small_config(2);
    config.strategy["stopper"] = stopper;
    config.strategy["regulariser"] = "cost";
    check_resumed(config);
  }
}

}  // namespace
