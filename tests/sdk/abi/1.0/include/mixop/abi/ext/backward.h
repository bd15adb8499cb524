#pragma once

#include "mixop/abi/operator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An exported backward pass of an operator with its own code. */
#define MIXOP_BACKWARD_EXTENSION "mixop.backward/1"

typedef struct MixopBackward {
  uint32_t size;
  uint32_t reserved;
  /* `grad_parameters` has a slot for each parameter, in state order; a callee may leave one NULL for zero. */
  MixopStatus (*backward)(MixopOpInstance* instance, MixopTensor input, MixopTensor output, MixopTensor grad_output,
                          const MixopForward* how, MixopTensor* grad_input, MixopTensor* grad_parameters,
                          MixopError* error);
} MixopBackward;

#ifdef __cplusplus
}
#endif
