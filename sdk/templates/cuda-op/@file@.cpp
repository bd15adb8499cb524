#include "@file@.hpp"

#include "mixop/plugin.hpp"

MIXOP_PLUGIN("@name@", "0.1.0", "Blur by [1 2 1] / 4 in both directions, on the CPU and on CUDA devices.",
             mixop::stable_operator<@class@>("@name@"));
