#include "annealed.hpp"

namespace {

// First-order DARTS with this relaxation, as --strategy acme.annealed.
constexpr MixopStrategyPart parts[] = {
    mixop::strategy_slot("relaxation", "acme.annealed"),
    mixop::strategy_slot("hypergradient", "first_order"),
    mixop::strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy table = mixop::strategy_table(parts, "First-order DARTS under a temperature that falls.");

}  // namespace

MIXOP_PLUGIN("acme.annealed", "0.1.0", "A softmax whose temperature falls by a cosine.",
             mixop::strategy_part<Annealed>("acme.annealed"), mixop::strategy("acme.annealed", table));
