#include "@file@.hpp"

#include "mixop/plugin.hpp"

MIXOP_PLUGIN("@name@", "0.1.0", "ReLU, 3x3 convolution and batch norm.", mixop::module_operator<@class@>("@name@"));
