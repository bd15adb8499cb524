#include "@file@.hpp"

MIXOP_PLUGIN("@name@", "0.1.0", "28x28 grey images in binary files.", mixop::dataset<@class@>("@name@"));
