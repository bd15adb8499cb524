#include "host/bench/steps.hpp"

#include <malloc.h>

#include "host/graph/measure.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/search/search.hpp"
#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"
#include "tests/support/small_search.hpp"

namespace {

using namespace mixop;

const DatasetHandle& images() {
  static const DatasetHandle data("synthetic", test::plugins().dataset("synthetic"), "",
                                  {{"train", "640"}, {"test", "10"}, {"size", "8"}, {"classes", "4"}});
  return data;
}

Config config_of(const std::string& strategy) {
  Config config = test::small_config(1);
  config.search.strategy = strategy;
  return config;
}

TEST_CASE("only the steps after the warm-up are timed, and the search stops behind them", "[bench]") {
  Search search(config_of("first_order"), test::plugins(), {}, images());
  const StepTimes times = time_steps(search, search.problem().weights(), {.warmup = 2, .steps = 3});
  CHECK(times.seconds.size() == 3);
  for (const double seconds : times.seconds) CHECK(seconds > 0);
  CHECK(search.position().at.step == 5);
  CHECK(times.parameters == measure(search.network().graph(), RegistryCatalog(test::plugins())).cost().parameters);
  CHECK(times.peak_rss_mb > 10);
}

TEST_CASE("memory does not grow over the steps of either order", "[search]") {
  for (const char* strategy : {"first_order", "second_order"}) {
    INFO(strategy);
    Search search(config_of(strategy), test::plugins(), {}, images());
    const auto held_after = [&](std::int64_t steps) {
      (void)time_steps(search, {}, {.warmup = 0, .steps = steps});
      const struct mallinfo2 info = mallinfo2();
      return info.uordblks + info.hblkhd;
    };
    const auto before = held_after(10), after = held_after(20);
    CHECK(after < before + (64 << 10));
  }
}

}  // namespace
