#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;

std::vector<SearchedSet> searched(std::vector<std::string> operations) {
  SearchedSet set;
  set.set.topology.operations = std::move(operations);
  return {set};
}

Part<Schedule> make(const std::map<std::string, std::string>& options = {}) {
  return make_part<Schedule>(test::plugins(), "fading_skip", {{"fading_skip", options}});
}

TEST_CASE("what is added to skips falls in a line from 1 in the first epoch to 0 behind the last",
          "[strategy][fading_skip]") {
  const auto part = make();
  for (const auto& [epoch, left] : {std::pair{0, 1.0}, std::pair{10, 0.8}, std::pair{49, 0.02}, std::pair{50, 0.0}}) {
    const std::map<std::string, double> added = part->plan({epoch, 50, 0}).added;
    REQUIRE(added.size() == 2);
    CHECK(added.at("skip_connect") == Approx(left).margin(1e-15));
    CHECK(added.at("identity") == added.at("skip_connect"));
  }
  const std::map<std::string, double> other =
      make({{"start", "0.5"}, {"operations", "acme.skip"}})->plan({1, 2, 0}).added;
  CHECK(other == std::map<std::string, double>{{"acme.skip", 0.25}});
}

TEST_CASE("a search without a skip is refused, as is a weight below 0", "[strategy][fading_skip][misuse]") {
  CHECK_NOTHROW(make()->begin(searched({"none", "identity"})));
  CHECK_THROWS_WITH(make()->begin(searched({"none", "sep_conv_3x3"})),
                    "fading_skip.operations: none of them is a candidate of this search; name its skip or add one to "
                    "space.ops");
  CHECK_THROWS_WITH(make({{"start", "-1"}}), "fading_skip: fading_skip.start: expected a number from 0 on, found -1");
}

}  // namespace
