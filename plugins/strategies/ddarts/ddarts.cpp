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
             mixop::strategy_part<mixop::ddarts::Sigmoid>("sigmoid"),
             mixop::strategy_part<mixop::ddarts::CellLosses>("ddarts"),
             mixop::strategy_part<mixop::ddarts::DistanceStopper>("distance"),
             mixop::strategy_part<mixop::ddarts::ThresholdEdge>("threshold_edge"),
             mixop::strategy_part<mixop::ddarts::ThresholdSparse>("threshold_sparse"),
             mixop::strategy_part<mixop::ddarts::ThresholdComplete>("threshold_complete"),
             mixop::strategy("ddarts", mixop::ddarts::kDdarts));
