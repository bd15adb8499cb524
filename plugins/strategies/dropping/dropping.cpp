// Schedules that drop operations while a search runs, and the strategies that are made of them: P-DARTS and DARTS-PT.
#include "perturbation.hpp"
#include "stages.hpp"

namespace mixop::strategies {
namespace {

constexpr MixopStrategyPart kPDartsParts[] = {
    strategy_slot("relaxation", "softmax"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("schedule", "stages"),
    strategy_slot("deriver", "darts_limited_skips"),
};
constexpr MixopStrategy kPDarts = strategy_table(
    kPDartsParts,
    "P-DARTS (Chen et al., ICCV 2019): deeper stages with ever fewer operations; without dropout of skips.");

constexpr MixopStrategyPart kDartsPtParts[] = {
    strategy_slot("relaxation", "softmax"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("schedule", "perturbation"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kDartsPt = strategy_table(
    kDartsPtParts, "DARTS-PT (Wang et al., ICLR 2021): keeps the operations that the supernet does worst without.");

}  // namespace
}  // namespace mixop::strategies

MIXOP_PLUGIN("mixop.strategies.dropping", "0.1.0", "P-DARTS and DARTS-PT: schedules that drop operations.",
             mixop::strategy_part<mixop::strategies::Stages>(
                 "stages", "Drops operations and deepens the network in stages (P-DARTS)."),
             mixop::strategy_part<mixop::strategies::Perturbation>(
                 "perturbation", "Decides edge by edge which operation the validation half misses most (DARTS-PT)."),
             mixop::strategy("p_darts", mixop::strategies::kPDarts),
             mixop::strategy("darts_pt", mixop::strategies::kDartsPt));
