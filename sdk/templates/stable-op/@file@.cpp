#include "@file@.hpp"

#include "mixop/plugin.hpp"

MIXOP_PLUGIN("@name@", "0.1.0", "Every channel moved by one pixel, in one of nine directions.",
             mixop::stable_operator<@class@>("@name@"));
