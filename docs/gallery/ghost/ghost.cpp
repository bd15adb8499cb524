#include "ghost.hpp"

#include "mixop/plugin.hpp"

MIXOP_PLUGIN("acme.ghost", "0.1.0", "Ghost convolution: most channels out of a few.",
             mixop::structure_operator<ghost>("acme.ghost", nullptr, ghost_options));
