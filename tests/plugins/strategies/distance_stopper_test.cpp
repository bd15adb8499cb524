#include <ATen/ATen.h>

#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;

/// Genotypes of one cell that differ in their operation: the same ones are no distance apart, others some.
Genotype of(const std::string& operation) { return {{{"0", {{operation, 0, 2}}, {2}}}}; }

Part<Stopper> make(const std::map<std::string, std::string>& options = {}) {
  return make_part<Stopper>(test::plugins(), "distance", {{"distance", options}});
}

std::vector<AlphaSet> candidates(std::vector<std::string> operations) {
  AlphaSet set;
  set.topology.operations = std::move(operations);
  return {set};
}

const std::vector<AlphaSet> kSeven = candidates({"max_pool_3x3", "skip_connect", "sep_conv_3x3"}),
                                    kTwelve = candidates({"max_pool_3x3", "skip_connect", "simple_conv_1x1"});

/// Hands a stopper an epoch that went from one genotype to the other.
std::string epoch(Stopper& stopper, const Genotype& from, const Genotype& to, bool moved = true,
                  const std::vector<AlphaSet>& alphas = kSeven) {
  EpochReport report;
  report.genotype = &to;
  report.before = &from;
  report.alphas_moved = moved;
  report.alphas = &alphas;
  return stopper.reason_to_stop(report);
}

const Genotype kPool = of("max_pool_3x3"), kSkip = of("skip_connect");

TEST_CASE("a search ends once the distance has changed by less than the tolerance for four epochs", "[ddarts]") {
  const auto stopper = make();
  CHECK(epoch(*stopper, kPool, kPool).empty());
  CHECK(stopper->measured().at("distance") == 0);
  CHECK(epoch(*stopper, kPool, kSkip).empty());  // a change, so four calm epochs are to come
  CHECK(stopper->measured().at("distance") > 0.1);
  CHECK(epoch(*stopper, kSkip, kPool).empty());
  CHECK(epoch(*stopper, kPool, kSkip).empty());
  CHECK(epoch(*stopper, kSkip, kPool).empty());
  CHECK(epoch(*stopper, kPool, kSkip) ==
        "the distance between the genotypes of two epochs has settled: changes below distance.tolerance for 4 epochs");
}

TEST_CASE("epochs that train the weights alone do not count, and a patience of 0 measures only", "[ddarts]") {
  const auto stopper = make({{"patience", "1"}});
  for (int i = 0; i < 3; ++i) CHECK(epoch(*stopper, kPool, kPool, /*moved=*/false).empty());
  CHECK(epoch(*stopper, kPool, kPool).empty());
  CHECK_FALSE(epoch(*stopper, kPool, kPool).empty());
  const auto never = make({{"patience", "0"}});
  for (int i = 0; i < 9; ++i) CHECK(epoch(*never, kPool, kPool).empty());
}

TEST_CASE("the candidates of the search decide how operations are weighted, not the genotypes at hand", "[ddarts]") {
  const auto stopper = make();
  (void)epoch(*stopper, kPool, kSkip);
  const double of_seven = stopper->measured().at("distance");
  (void)epoch(*stopper, kPool, kSkip, true, kTwelve);
  CHECK(stopper->measured().at("distance") < 0.6 * of_seven);
}

TEST_CASE("a stopper goes on from its saved state", "[ddarts][resume]") {
  const auto first = make({{"patience", "2"}}), second = make({{"patience", "2"}});
  CHECK(first->save().empty());
  CHECK(epoch(*first, kPool, kPool).empty());
  CHECK(epoch(*first, kPool, kPool).empty());
  second->load(first->save());
  CHECK_FALSE(epoch(*second, kPool, kPool).empty());
  CHECK_THROWS_WITH(second->load({{"last", at::zeros({2}, at::kDouble)}}),
                    Catch::Matchers::Contains("the stopper distance finds no number 'last' in its state"));
  CHECK_THROWS_WITH(second->load({{"last", at::zeros({}, at::kDouble)}}),
                    Catch::Matchers::Contains("the stopper distance finds no number 'calm' in its state"));
}

TEST_CASE("options of the stopper that mean nothing are refused", "[ddarts][misuse]") {
  CHECK_THROWS_WITH(make({{"tolerance", "0"}}), "distance: distance.tolerance: expected a number above 0, found 0");
  CHECK_THROWS_WITH(make({{"patience", "-1"}}), "distance: distance.patience: expected a number from 0 on, found -1");
}

}  // namespace
