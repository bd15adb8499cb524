#include <ATen/ATen.h>

#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;
using Options = std::map<std::string, std::string>;

Part<Stopper> make(const std::string& name, const Options& options = {}) {
  return make_part<Stopper>(test::plugins(), name, {{name, options}});
}

const Gene kSkip{"skip_connect", 0, 2}, kIdentity{"identity", 0, 2}, kConv{"sep_conv_3x3", 1, 2};

std::string with_genotype(Stopper& stopper, const Genotype& genotype, bool moved = true) {
  EpochReport report;
  report.genotype = &genotype;
  report.alphas_moved = moved;
  return stopper.reason_to_stop(report);
}

TEST_CASE("a search ends with the second skip in a normal cell, whatever reduction cells have",
          "[strategy][stoppers]") {
  const Genotype one{{{"normal", {kSkip, kConv}, {2}}, {"reduce", {kSkip, kSkip}, {2}}}},
      two{{{"normal", {kSkip, kConv, kSkip}, {2}}, {"reduce", {}, {2}}}},
      text{{{"recurrent", {kIdentity, kIdentity}, {2}, 1}}};
  const auto stopper = make("skip_count");
  CHECK(with_genotype(*stopper, one).empty());
  CHECK(with_genotype(*stopper, two) == "cell 'normal' has 2 skips; skip_count.limit is 2");
  CHECK(with_genotype(*stopper, two, /*moved=*/false).empty());
  CHECK(with_genotype(*stopper, text) == "cell 'recurrent' has 2 skips; skip_count.limit is 2");
  CHECK(with_genotype(*make("skip_count", {{"limit", "3"}}), two).empty());
  CHECK_FALSE(with_genotype(*make("skip_count", {{"limit", "1"}, {"operations", "sep_conv_3x3"}}), one).empty());
}

TEST_CASE("of cells by position those that reduce the resolution do not count", "[strategy][stoppers]") {
  Genotype genotype{{{"0", {kConv}, {2}}, {"1", {kSkip, kSkip}, {2}}}};
  const auto stopper = make("skip_count");
  CHECK(with_genotype(*stopper, genotype) == "cell '1' has 2 skips; skip_count.limit is 2");
  genotype.reductions = std::vector<int>{1};
  CHECK(with_genotype(*stopper, genotype).empty());
}

/// A set of one edge; an operation without parameters does not learn.
std::vector<SearchedSet> searched(std::vector<double> parameters) {
  SearchedSet set;
  set.set.topology.operations.assign(parameters.size(), "x");
  set.parameters = std::move(parameters);
  return {set};
}

std::string with_weights(Stopper& stopper, const std::vector<float>& weights, bool moved = true) {
  const std::vector<at::Tensor> relaxed{at::tensor(weights).view({1, -1})};
  EpochReport report;
  report.relaxed = &relaxed;
  report.alphas_moved = moved;
  return stopper.reason_to_stop(report);
}

TEST_CASE("a search ends once the order of the operations that learn has held for so many epochs",
          "[strategy][stoppers]") {
  const auto stopper = make("rank_stable", {{"epochs", "2"}});
  stopper->begin(searched({0, 5, 9}));
  CHECK(with_weights(*stopper, {0.1F, 0.2F, 0.7F}).empty());
  CHECK(with_weights(*stopper, {0.8F, 0.05F, 0.15F}).empty());  // the first has no parameters
  CHECK(with_weights(*stopper, {0.8F, 0.15F, 0.05F}).empty());
  CHECK(with_weights(*stopper, {0.8F, 0.15F, 0.05F}).empty());
  CHECK(with_weights(*stopper, {0.1F, 0.5F, 0.4F}, /*moved=*/false).empty());
  CHECK(with_weights(*stopper, {0.1F, 0.5F, 0.4F}) ==
        "the order of the operations of every edge has not changed for 2 epochs");
}

TEST_CASE("where no operation has parameters the order of all counts", "[strategy][stoppers]") {
  const auto stopper = make("rank_stable", {{"epochs", "1"}});
  stopper->begin(searched({0, 0}));
  CHECK(with_weights(*stopper, {0.1F, 0.9F}).empty());
  CHECK(with_weights(*stopper, {0.9F, 0.1F}).empty());
  CHECK_FALSE(with_weights(*stopper, {0.8F, 0.2F}).empty());
}

TEST_CASE("the order of the published number of epochs is ten", "[strategy][stoppers]") {
  const auto stopper = make("rank_stable");
  stopper->begin(searched({1, 1}));
  for (int i = 0; i < 10; ++i) CHECK(with_weights(*stopper, {0.1F, 0.9F}).empty());
  CHECK_FALSE(with_weights(*stopper, {0.1F, 0.9F}).empty());
}

std::string with_loss(Stopper& stopper, double loss, bool moved = true) {
  EpochReport report;
  report.valid_loss = loss;
  report.alphas_moved = moved;
  return stopper.reason_to_stop(report);
}

TEST_CASE("a search ends once the validation loss has had no new least value for so many epochs",
          "[strategy][stoppers]") {
  const auto stopper = make("patience", {{"epochs", "2"}});
  CHECK(with_loss(*stopper, 9, /*moved=*/false).empty());
  CHECK(with_loss(*stopper, 10).empty());
  CHECK(with_loss(*stopper, 11).empty());
  CHECK(with_loss(*stopper, 8).empty());
  CHECK(with_loss(*stopper, 8).empty());
  CHECK(with_loss(*stopper, 8.5) == "the validation loss has not fallen below 8.000000 for 2 epochs");
}

TEST_CASE("stoppers go on from their saved state", "[strategy][stoppers][resume]") {
  const auto ranks = make("rank_stable", {{"epochs", "2"}}), ranks_again = make("rank_stable", {{"epochs", "2"}});
  for (const auto* part : {&ranks, &ranks_again}) (*part)->begin(searched({1, 1}));
  CHECK(ranks->save().empty());
  CHECK(with_weights(*ranks, {0.1F, 0.9F}).empty());
  CHECK(with_weights(*ranks, {0.1F, 0.9F}).empty());
  ranks_again->load(ranks->save());
  CHECK_FALSE(with_weights(*ranks_again, {0.1F, 0.9F}).empty());

  const auto patience = make("patience", {{"epochs", "2"}}), patience_again = make("patience", {{"epochs", "2"}});
  CHECK(patience->save().empty());
  CHECK(with_loss(*patience, 3).empty());
  CHECK(with_loss(*patience, 4).empty());
  patience_again->load(patience->save());
  CHECK_FALSE(with_loss(*patience_again, 3).empty());
}

TEST_CASE("states of stoppers that do not fit are refused", "[strategy][stoppers][misuse]") {
  const auto ranks = make("rank_stable");
  ranks->begin(searched({1, 1}));
  CHECK_THROWS_WITH(
      ranks->load({{"calm", at::tensor(std::int64_t{1}, at::kLong)}}),
      "the stopper rank_stable does not find 'order_0' in its state; was it written by another version of a "
      "plugin?");
  CHECK_THROWS_WITH(make("patience")->load({{"least", at::zeros({2}, at::kDouble)}}),
                    "the stopper patience finds no number 'least' in its state; was it written by another version of a "
                    "plugin?");
}

TEST_CASE("counts of stoppers that mean nothing are refused", "[strategy][stoppers][misuse]") {
  CHECK_THROWS_WITH(make("skip_count", {{"limit", "0"}}),
                    "skip_count: skip_count.limit: expected a number from 1 on, found 0");
  CHECK_THROWS_WITH(make("rank_stable", {{"epochs", "0"}}),
                    "rank_stable: rank_stable.epochs: expected a number from 1 on, found 0");
  CHECK_THROWS_WITH(make("patience", {{"epochs", "0"}}),
                    "patience: patience.epochs: expected a number from 1 on, found 0");
}

}  // namespace
