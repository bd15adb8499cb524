#include "@file@.hpp"

#include "mixop/plugin.hpp"

MIXOP_PLUGIN("@name@", "0.1.0", "A chain of choices, one a position.", mixop::space<@class@>("@name@"));
