#pragma once

#include "mixop/abi/error.h"
#include "mixop/abi/option.h"
#include "mixop/abi/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MIXOP_OPERATOR_INTERFACE "mixop.operator/1"

/* What an operator works on. */
enum {
  MIXOP_DOMAIN_IMAGE = 0,    /* [N, in, H, W] to [N, out, ceil(H / stride), ceil(W / stride)] */
  MIXOP_DOMAIN_RECURRENT = 1 /* [..., C] to the same shape; in is out, stride is 1 */
};

typedef struct MixopOpSpec {
  uint32_t size;
  int32_t affine; /* 1: batch norms have weight and bias (discrete networks); 0: none (supernets) */
  int64_t in;     /* channels of the input */
  int64_t out;    /* channels of the output */
  int64_t stride; /* 1 or 2 */
  /* Since ABI 1.1: a value of each of the operator's options, for the call. */
  const MixopOptionValue* options;
  uint32_t option_count;
  uint32_t reserved;
} MixopOpSpec;

/* How one forward pass is run. */
typedef struct MixopForward {
  uint32_t size;
  int32_t training;          /* 1: batch statistics; 0: running statistics */
  int32_t update_statistics; /* 1: a training pass also updates the running statistics */
  int32_t reserved;
  uint64_t key; /* for operators that draw random numbers: they are a function of this key alone */
} MixopForward;

enum { MIXOP_STATE_PARAMETER = 0, MIXOP_STATE_BUFFER = 1 };

/* A named tensor of an operator; the name is relative to the operator: "op.1.weight". */
typedef struct MixopState {
  uint32_t size;
  int32_t kind; /* MIXOP_STATE_* */
  const char* name;
  MixopTensor tensor; /* borrowed as long as the instance lives; the host changes values, type and device in place */
  int64_t elements;   /* numbers in it */
} MixopState;

typedef struct MixopOpInstance MixopOpInstance;

/*
 * An operator: either its own code or a description.
 *
 * Its own code: create, destroy, forward, state_count and state are all there, and forward runs in any cell, whatever
 * the operator describes beside it. An instance is used by one thread at a time. `forward` composes ATen calls, which
 * differentiate by themselves; an operator that exports MIXOP_BACKWARD_EXTENSION runs it without recording instead, and
 * the host makes the autograd node (once differentiable).
 *
 * A description: all five are NULL and MIXOP_STRUCTURE_EXTENSION is there; the host makes the tensors and runs it.
 *
 * `get_extension` returns the table of an id, or NULL; it may be NULL itself. Ids and tables are in mixop/abi/ext, such as
 * ext/structure.h, and drafts in mixop/abi/ext/draft.
 */
typedef struct MixopOperator {
  uint32_t size;
  uint32_t domain; /* MIXOP_DOMAIN_* */
  /* A spec that the operator cannot serve, such as other channels out than in, is MIXOP_ERROR_UNSUPPORTED. */
  MixopStatus (*create)(const MixopOpSpec* spec, MixopOpInstance** instance, MixopError* error);
  void (*destroy)(MixopOpInstance* instance);
  MixopStatus (*forward)(MixopOpInstance* instance, MixopTensor input, const MixopForward* how, MixopTensor* output,
                         MixopError* error);
  /* Parameters and buffers in published order: entry `index`, or MIXOP_ERROR_USAGE past the end. */
  uint32_t (*state_count)(MixopOpInstance* instance);
  MixopStatus (*state)(MixopOpInstance* instance, uint32_t index, MixopState* state, MixopError* error);
  const void* (*get_extension)(const char* id);
  /* Since ABI 1.1: users set them in the operator's name, NAME:option=value:option=value, so that genotypes and archives
   * hold them. No lists; of a text letters, digits, '.', '_', '-' and '+' can be set. */
  const MixopOptionSpec* options;
  uint32_t option_count;
  uint32_t reserved;
} MixopOperator;

#ifdef __cplusplus
}
#endif
