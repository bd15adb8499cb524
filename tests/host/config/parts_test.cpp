#include "host/config/parts.hpp"

#include "host/config/layers.hpp"
#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"

using namespace mixop;
using test::error_of;

namespace {

SlotNames names(const std::string& slot, const std::string& text) {
  SlotNames made;
  made[slot] = text;
  return made;
}

std::string problem(const std::string& text) {
  return error_of(ErrorCode::usage, [&] { schedule_of("strategy.relaxation", text); });
}

}  // namespace

TEST_CASE("a schedule is names from epochs on, in ascending order", "[config][strategy]") {
  CHECK(schedule_of("k", "").empty());
  CHECK(schedule_of("k", "softmax") == std::vector<ScheduledName>{{"softmax", 0}});
  CHECK(schedule_of("k", " softmax@0 , gumbel@10") == std::vector<ScheduledName>{{"softmax", 0}, {"gumbel", 10}});
  CHECK(name_in(schedule_of("k", "a@2,b@5"), 1).empty());
  CHECK(name_in(schedule_of("k", "a@2,b@5"), 4) == "a");
  CHECK(name_in(schedule_of("k", "a@2,b@5"), 5) == "b");
  const std::string form = "strategy.relaxation: expected a name, or names from epochs on such as a@0,b@15, found '";
  for (const std::string text : {"a@", "@3", "a@-1", "a@1.5", "a@x", "a,,b@2", "a@99999999999999999999"})
    CHECK(problem(text) == form + text + "'");
  for (const std::string text : {"a@3,b@3", "a@3,b@1", "a,b"})
    CHECK(problem(text) == "strategy.relaxation: expected epochs in ascending order, each once, found '" + text + "'");
}

TEST_CASE("strategies and parts change in the epochs that any of them names", "[config][strategy]") {
  const StrategySchedule both({"first_order@0,second_order@4", names("relaxation", "gumbel@2")});
  CHECK(both.epochs() == std::vector<std::int64_t>{0, 2, 4});
  CHECK(both.in(0) == StrategyNames{"first_order", {}});
  CHECK(both.in(3) == StrategyNames{"first_order", names("relaxation", "gumbel")});
  CHECK(both.in(9) == StrategyNames{"second_order", names("relaxation", "gumbel")});
  CHECK(error_of(ErrorCode::usage, [] { StrategySchedule({"second_order@4", {}}); }) ==
        "search.strategy: expected a strategy from epoch 0 on, such as first_order@0,second_order@15, found "
        "'second_order@4'");
}
