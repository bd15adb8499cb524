#include "@file@.hpp"

MIXOP_PLUGIN("@name@", "0.1.0", "A softmax whose temperature falls.", mixop::strategy_part<@class@>("@name@"));
