#include "shift.hpp"

#include "mixop/plugin.hpp"

MIXOP_PLUGIN("acme.shift", "0.1.0", "Channels moved by a pixel, then a 1x1 convolution.",
             mixop::module_operator<Shift>("acme.shift"));
