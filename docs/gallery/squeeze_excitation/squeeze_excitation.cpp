#include "squeeze_excitation.hpp"

#include "mixop/plugin.hpp"

MIXOP_PLUGIN("acme.squeeze_excitation", "0.1.0", "Separable convolution with squeeze-and-excitation.",
             mixop::structure_operator<squeeze_excitation>("acme.squeeze_excitation"));
