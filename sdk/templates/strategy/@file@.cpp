#include "@file@.hpp"

namespace {

constexpr MixopStrategyPart parts[] = {
    mixop::strategy_slot("relaxation", "softmax"),
    mixop::strategy_slot("hypergradient", "first_order"),
    mixop::strategy_slot("stopper", "@name@"),
    mixop::strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy table = mixop::strategy_table(parts, "First-order DARTS that ends at a validation loss.");

}  // namespace

MIXOP_PLUGIN("@name@", "0.1.0", "A search that ends at a validation loss.", mixop::strategy_part<@class@>("@name@"),
             mixop::strategy("@name@", table));
