#include "@file@.hpp"

#include "mixop/plugin.hpp"

MIXOP_PLUGIN("@name@", "0.1.0", "Inverted residual: wide depthwise convolution between 1x1 convolutions.",
             mixop::structure_operator<@file@_structure>("@name@", nullptr, @file@_options));
