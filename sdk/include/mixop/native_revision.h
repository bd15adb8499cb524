#pragma once

#include "mixop/abi/note.h"

/* Changes whenever a C++ type that crosses between host and plugins does (mixop/space.hpp, mixop/strategy.hpp and what they
 * include), and is matched exactly: plugins of another revision are refused before they are loaded. A test compares it
 * with the headers: tests/scripts/native_revision.py. */
#define MIXOP_NATIVE_REVISION 6

/* MixopNote.native_revision of a plugin of these kinds and this tier. */
#define MIXOP_NATIVE_REVISION_OF(kinds, tier)                                                              \
  (((kinds) & (MIXOP_KIND_SPACE | MIXOP_KIND_STRATEGY)) != 0 || (tier) == MIXOP_TIER_NATIVE ? MIXOP_NATIVE_REVISION \
                                                                                            : 0)
