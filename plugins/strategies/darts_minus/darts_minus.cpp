// DARTS- (Chu et al., ICLR 2021): an auxiliary skip connection of every edge, which fades, takes over what skips do for
// training, so that the alphas judge the operation alone.
#include <cmath>
#include <set>

#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace mixop::strategies {
namespace {

/// The auxiliary skip of section 3.3 is the edge's own candidate, whose weight is raised: of a reduced resolution,
/// where a skip has parameters, the published program has another one. It fades in a line.
class FadingSkip final : public Schedule {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_REAL, "start", "1", "What is added to the weight of a skip in the first epoch; from 0 on."),
      option(MIXOP_OPTION_TEXT, "operations", "skip_connect,identity", "What skips are called, with commas."),
  };
  explicit FadingSkip(const Options& options) : start_(options.real("start")), operations_(options.list("operations")) {
    if (!(start_ >= 0) || std::isinf(start_))
      throw Error(ErrorCode::usage, "fading_skip.start: expected a number from 0 on, found " + options.text("start"));
  }

  void begin(const std::vector<SearchedSet>& sets) override {
    std::set<std::string> candidates;
    for (const SearchedSet& set : sets)
      candidates.insert(set.set.topology.operations.begin(), set.set.topology.operations.end());
    for (const std::string& operation : operations_)
      if (candidates.count(operation) != 0) return;
    throw Error(
        ErrorCode::usage,
        "fading_skip.operations: none of them is a candidate of this search; name its skip or add one to space.ops");
  }

  EpochPlan plan(const SearchPosition& at) const override {
    const double left = start_ * static_cast<double>(at.epochs - at.epoch) / static_cast<double>(at.epochs);
    EpochPlan plan;
    for (const std::string& operation : operations_) plan.added[operation] = left;
    return plan;
  }

 private:
  double start_;
  std::vector<std::string> operations_;
};

constexpr MixopStrategyPart kParts[] = {
    strategy_slot("relaxation", "softmax"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("schedule", "fading_skip"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kDartsMinus =
    strategy_table(kParts, "DARTS- (Chu et al., ICLR 2021): an auxiliary skip of every edge fades over the epochs.");

}  // namespace
}  // namespace mixop::strategies

MIXOP_PLUGIN("mixop.strategies.darts_minus", "0.1.0", "DARTS-: auxiliary skips that fade.",
             mixop::strategy_part<mixop::strategies::FadingSkip>(
                 "fading_skip", "An auxiliary skip on every edge, whose weight falls to 0 (DARTS-)."),
             mixop::strategy("darts_minus", mixop::strategies::kDartsMinus));
