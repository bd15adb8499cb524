#include "host/search/swap.hpp"

#include "host/session/application.hpp"
#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;
using Catch::Matchers::Contains;
using test::plugins;

StrategyChange second_order() {
  return {3, 1, "second_order", parts_of(plugins(), {"second_order", {}}, {{"second_order", {{"epsilon", "0.1"}}}})};
}

StrategyChange asked(const SwapRequest& request) {
  return swapped(plugins(), option_catalog(plugins()), second_order(), request);
}

std::string refusal(const SwapRequest& request) {
  return test::error_of(ErrorCode::usage, [&] { (void)asked(request); });
}

TEST_CASE("a request is read as it was written", "[search][swap]") {
  SwapRequest request{"ddarts", {}, {"sigmoid.x=1", "a.b=\"2\""}};
  request.parts["stopper"] = "distance";
  const SwapRequest read = swap_request(to_json(request));
  CHECK(read.strategy == "ddarts");
  CHECK((read.parts == request.parts));
  CHECK(read.sets == request.sets);
  for (const std::string text : {"[]", "{\"strategy\": 3}", "{\"set\": [1]}", "{\"set\": \"x\"}", "{\"other\": \"x\"}", "{"})
    CHECK_THROWS_AS(swap_request(text), Error);
}

TEST_CASE("a swap exchanges what it names, and parts that stay keep their options", "[search][swap]") {
  SwapRequest slot;
  slot.parts["stopper"] = "distance";
  const StrategyChange stopped = asked(slot);
  CHECK(stopped.strategy == "second_order");
  CHECK(stopped.parts.at("hypergradient").options.at("epsilon") == "0.1");
  CHECK(stopped.parts.at("stopper").part == "distance");
  CHECK(!stopped.parts.at("stopper").options.empty());
  CHECK(difference(second_order(), stopped) == "stopper=distance (was none)");

  const StrategyChange first = asked({"first_order", {}, {}});
  CHECK((first.parts.at("hypergradient") == PartChoice{"first_order", {}}));
  CHECK(difference(second_order(), first) == "first_order (was second_order), hypergradient=first_order (was second_order)");

  const StrategyChange same = asked({"second_order", {}, {}});
  CHECK((same.parts == second_order().parts));
  CHECK(difference(second_order(), same).empty());

  const StrategyChange set = asked({"", {}, {"second_order.epsilon = 0.5", "second_order.clip=true"}});
  CHECK(set.parts.at("hypergradient").options.at("epsilon") == "0.5");
  CHECK(difference(second_order(), set) == "second_order.clip=true (was false), second_order.epsilon=0.5 (was 0.1)");
}

TEST_CASE("a swap that means nothing is refused with the reason", "[search][swap][misuse]") {
  CHECK_THROWS_WITH(asked({"third_order", {}, {}}), Contains("third_order"));
  SwapRequest unknown;
  unknown.parts["relaxation"] = "softmx";
  CHECK_THROWS_WITH(asked(unknown), Contains("unknown relaxation 'softmx'"));
  CHECK(refusal({"", {}, {"epsilon=1"}}) ==
        "--set epsilon=1: expected part.option=value, as in --set softmax.temperature=2");
  CHECK(refusal({"", {}, {"distance.limit=1"}}) ==
        "--set distance.limit=1: the search would have no part 'distance'; it would have darts, second_order, softmax, "
        "and a swap changes options of parts alone");
  CHECK_THAT(refusal({"", {}, {"second_order.eps=1"}}), Contains("second_order has no option 'eps'; it has epsilon, "));
  CHECK_THAT(refusal({"", {}, {"second_order.epsilon=much"}}), Contains("expected a number"));
}

}  // namespace
