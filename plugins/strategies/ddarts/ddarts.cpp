// D-DARTS (Heuillet, Tabia, Arioui: D-DARTS: Distributed Differentiable Architecture Search, 2023): a sigmoid for every
// operation, a loss for every cell, and derivation by a threshold.
#include <ATen/ATen.h>

#include "cell_losses.hpp"
#include "distance_stopper.hpp"
#include "mixop/plugin.hpp"
#include "threshold_derivers.hpp"

namespace mixop::ddarts {
namespace {

/// Every operation has a weight between 0 and 1 of its own (Chu et al., ECCV 2020, equation 3).
class Sigmoid final : public Relaxation {
 public:
  explicit Sigmoid(const Options&) {}
  Relaxed relax(const at::Tensor& alphas, const RelaxationContext&) const override { return {at::sigmoid(alphas)}; }
};

constexpr MixopStrategyPart kParts[] = {
    strategy_slot("relaxation", "sigmoid"),
    strategy_slot("hypergradient", "ddarts"),
    strategy_slot("deriver", "threshold_sparse"),
};
constexpr MixopStrategy kDdarts = strategy_table(
    kParts, "D-DARTS (Heuillet et al. 2023): a sigmoid for every operation, a loss for every cell, thresholds.");

}  // namespace
}  // namespace mixop::ddarts

MIXOP_PLUGIN("mixop.strategies.ddarts", "0.1.0",
             "D-DARTS: sigmoid, a loss for every cell, thresholds, a stopper by distance.",
             mixop::strategy_part<mixop::ddarts::Sigmoid>("sigmoid", "The sigmoid of every alpha."),
             mixop::strategy_part<mixop::ddarts::CellLosses>("ddarts", "Losses of each cell's ablation (D-DARTS)."),
             mixop::strategy_part<mixop::ddarts::DistanceStopper>(
                 "distance", "Ends a search whose genotype stays near the last ones (D-DARTS)."),
             mixop::strategy_part<mixop::ddarts::ThresholdEdge>("threshold_edge",
                                                                "Every operation above a threshold, edge by edge."),
             mixop::strategy_part<mixop::ddarts::ThresholdSparse>("threshold_sparse",
                                                                  "The strongest edges of those above a threshold."),
             mixop::strategy_part<mixop::ddarts::ThresholdComplete>("threshold_complete",
                                                                    "All edges of those above a threshold."),
             mixop::strategy("ddarts", mixop::ddarts::kDdarts));
