#include "ghost.hpp"

#include "mixop/plugin.hpp"

MIXOP_PLUGIN("acme.ghost", "0.1.0", "Ghost convolution: half of the channels out of the other half.",
             mixop::structure_operator<ghost>("acme.ghost"));
