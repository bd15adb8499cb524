// What needs second derivatives: iDARTS' hypergradient and RobustDARTS' stopper.
#include "eigenvalue_stopper.hpp"
#include "neumann.hpp"

namespace mixop::strategies {
namespace {

constexpr MixopStrategyPart kIdartsParts[] = {
    strategy_slot("relaxation", "softmax"),
    strategy_slot("hypergradient", "neumann"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kIdarts = strategy_table(
    kIdartsParts, "iDARTS (Zhang et al., ICML 2021): implicit gradient by a Neumann series at the current weights.");

constexpr MixopStrategyPart kRobustParts[] = {
    strategy_slot("relaxation", "softmax"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("stopper", "eigenvalue"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kRobust = strategy_table(
    kRobustParts, "RobustDARTS (Zela et al., ICLR 2020), DARTS-ES: ends where the largest eigenvalue grows.");

}  // namespace
}  // namespace mixop::strategies

MIXOP_PLUGIN("mixop.strategies.curvature", "0.1.0", "Implicit gradients by Neumann series, a stopper by eigenvalues.",
             mixop::strategy_part<mixop::strategies::Neumann>("neumann",
                                                              "Implicit differentiation by a Neumann series (iDARTS)."),
             mixop::strategy_part<mixop::strategies::EigenvalueStopper>(
                 "eigenvalue",
                 "Ends a search when the largest eigenvalue of the Hessian in the alphas rises (RobustDARTS)."),
             mixop::strategy("idarts", mixop::strategies::kIdarts),
             mixop::strategy("robust_darts", mixop::strategies::kRobust));
