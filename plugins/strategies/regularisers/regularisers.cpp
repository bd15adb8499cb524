// Terms of the alphas that are added to the validation loss: FairDARTS' zero-one loss, Beta-DARTS' decay, expected
// costs.
#include <ATen/ATen.h>

#include <cmath>
#include <numeric>
#include <utility>

#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace mixop::strategies {
namespace {

double weight_of(const Options& options, const std::string& part) {
  const double weight = options.real("weight");
  if (!(weight >= 0) || std::isinf(weight))
    throw Error(ErrorCode::usage, part + ".weight: expected a number from 0 on, found " + options.text("weight"));
  return weight;
}

/// FairDARTS (Chu et al., ECCV 2020, equation 6): -weight * mean (sigmoid(alpha) - 0.5)^2 over all alphas, which drives
/// the weight of every operation to 0 or 1. The weight is that of the published search.
class ZeroOne final : public Regulariser {
 public:
  static constexpr MixopOptionSpec options[] = {option(MIXOP_OPTION_REAL, "weight", "10", "Its weight, from 0 on.")};
  explicit ZeroOne(const Options& options) : weight_(weight_of(options, "zero_one")) {}

  at::Tensor term(const std::vector<at::Tensor>& alphas, const std::vector<Relaxed>&,
                  const SearchPosition&) const override {
    std::vector<at::Tensor> all;
    for (const at::Tensor& alpha : alphas) all.push_back(at::sigmoid(alpha).flatten());
    return -weight_ * (at::cat(all) - 0.5).square().mean();
  }

 private:
  double weight_;
};

/// Beta-DARTS (Ye et al., CVPR 2022): the mean over all edges of log sum exp alpha, which keeps the alphas of an edge
/// close to each other. Its weight grows in a line from 0 to that of the published search.
class BetaDecay final : public Regulariser {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_REAL, "weight", "50", "Its weight at the end, from 0 on; it grows in a line from 0."),
  };
  explicit BetaDecay(const Options& options) : weight_(weight_of(options, "beta_decay")) {}

  at::Tensor term(const std::vector<at::Tensor>& alphas, const std::vector<Relaxed>&,
                  const SearchPosition& at) const override {
    std::vector<at::Tensor> edges;  // alpha - log softmax(alpha): LibTorch's logsumexp does not run on the meta device
    for (const at::Tensor& alpha : alphas)
      edges.push_back((alpha - at::log_softmax(alpha, -1)).select(-1, 0).flatten());
    return weight_ * static_cast<double>(at.epoch) / static_cast<double>(at.epochs) * at::cat(edges).mean();
  }

 private:
  double weight_;
};

/// What the relaxed network is expected to cost, sum of edge weight times cost over all operations, in parts of the
/// cost of the network whose operations all weigh the same: weight times that, which is 1 for alphas that are all
/// alike.
class ExpectedCost final : public Regulariser {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_REAL, "weight", "0.1", "Its weight, from 0 on."),
      option(MIXOP_OPTION_TEXT, "of", "multiply_adds", "What is counted: multiply_adds or parameters."),
  };
  explicit ExpectedCost(const Options& options) : weight_(weight_of(options, "cost")), of_(options.text("of")) {
    if (of_ != "multiply_adds" && of_ != "parameters")
      throw Error(ErrorCode::usage, "cost.of: expected multiply_adds or parameters, found '" + of_ + "'");
  }

  void begin(const std::vector<SearchedSet>& sets) override {
    double mean = 0;
    shares_.clear();
    for (const SearchedSet& set : sets) {
      const std::vector<double>& costs = of_ == "parameters" ? set.parameters : set.multiply_adds;
      mean +=
          std::accumulate(costs.begin(), costs.end(), 0.0) / static_cast<double>(set.set.topology.operations.size());
      shares_.push_back(at::tensor(costs, at::kDouble).view(set.set.shape()));
    }
    if (!(mean > 0))
      throw Error(ErrorCode::usage,
                  "cost.of: no candidate of this search has " + of_ + "; set strategy.regulariser=none");
    for (at::Tensor& shares : shares_) shares.div_(mean);
  }

  at::Tensor term(const std::vector<at::Tensor>&, const std::vector<Relaxed>& relaxed,
                  const SearchPosition&) const override {
    at::Tensor sum;
    for (std::size_t set = 0; set < relaxed.size(); ++set) {
      const at::Tensor& weights = relaxed[set].weights;
      at::Tensor& shares = shares_[set];  // moved once
      shares = shares.to(weights.device(), weights.scalar_type());
      const at::Tensor cost = (weights * shares).sum();
      sum = sum.defined() ? sum + cost : cost;
    }
    return weight_ * sum;
  }

 private:
  double weight_;
  std::string of_;
  mutable std::vector<at::Tensor> shares_;  // of the mean network's cost, one tensor a set, where the search runs
};

constexpr MixopStrategyPart kFairParts[] = {
    strategy_slot("relaxation", "sigmoid"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("regulariser", "zero_one"),
    strategy_slot("deriver", "threshold_sparse"),
};
constexpr MixopStrategy kFair = strategy_table(
    kFairParts, "FairDARTS (Chu et al., ECCV 2020): a sigmoid for every operation, driven to 0 or 1; a threshold.");

constexpr MixopStrategyPart kBetaParts[] = {
    strategy_slot("relaxation", "softmax"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("regulariser", "beta_decay"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kBeta = strategy_table(
    kBetaParts, "Beta-DARTS (Ye et al., CVPR 2022): the alphas of an edge are kept close to each other.");

}  // namespace
}  // namespace mixop::strategies

MIXOP_PLUGIN("mixop.strategies.regularisers", "0.1.0", "Zero-one loss, decay of softmax weights, expected costs.",
             mixop::strategy_part<mixop::strategies::ZeroOne>("zero_one",
                                                              "Draws weights of operations to 0 or 1 (FairDARTS)."),
             mixop::strategy_part<mixop::strategies::BetaDecay>("beta_decay",
                                                                "Holds down the softmax of the alphas (beta-DARTS)."),
             mixop::strategy_part<mixop::strategies::ExpectedCost>("cost", "Expected multiply-adds or parameters."),
             mixop::strategy("fair_darts", mixop::strategies::kFair),
             mixop::strategy("beta_darts", mixop::strategies::kBeta));
