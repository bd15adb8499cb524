#include "grey_binary.hpp"

MIXOP_PLUGIN("acme.grey_binary", "0.1.0", "Grey images in a small binary format.",
             mixop::dataset<GreyBinary>("acme.grey_binary"));
