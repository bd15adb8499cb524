#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What those who try an operator must know of it. */
#define MIXOP_TRIALS_EXTENSION "mixop.trials/1"

typedef struct MixopTrials {
  uint32_t size;
  uint32_t gradient_is_estimate; /* 1: not that of forward itself (straight-through, quantised); no finite differences */
  int64_t channel_multiple;      /* it takes multiples of this many channels; 0 and 1: any number */
} MixopTrials;

#ifdef __cplusplus
}
#endif
