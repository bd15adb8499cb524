#pragma once

#include "mixop/abi/error.h"
#include "mixop/abi/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MIXOP_OPERATOR_INTERFACE "mixop.operator/1"

/* What an operator works on. */
enum {
  MIXOP_DOMAIN_IMAGE = 0,    /* [N, C, H, W] to [N, C, ceil(H / stride), ceil(W / stride)] */
  MIXOP_DOMAIN_RECURRENT = 1 /* [..., C] to the same shape; stride is 1 */
};

typedef struct MixopOpSpec {
  uint32_t size;
  int32_t affine;   /* 1: batch norms have weight and bias (discrete networks); 0: none (supernets) */
  int64_t channels; /* C, of input and output */
  int64_t stride;   /* 1 or 2 */
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
  MixopTensor
      tensor; /* borrowed, as long as the instance lives; the host may change its values, type and device in place */
} MixopState;

/* Stages of an operator's structure. */
enum {
  MIXOP_STAGE_ZERO = 1, /* zeros, of the shape of x[:, :, ::stride, ::stride] */
  MIXOP_STAGE_IDENTITY = 2,
  MIXOP_STAGE_RELU = 3,
  MIXOP_STAGE_CONV = 4,       /* state: weight, bias (-1: none) */
  MIXOP_STAGE_BATCH_NORM = 5, /* state: weight, bias (both -1: none), running_mean, running_var, num_batches_tracked */
  MIXOP_STAGE_MAX_POOL = 6,
  MIXOP_STAGE_AVG_POOL = 7, /* padding is not counted */
  /* cat(conv1x1_s2(x; first), conv1x1_s2(x[:, :, 1:, 1:]; second)) along channels. state: first, second */
  MIXOP_STAGE_FACTORIZED_REDUCE = 8,
  MIXOP_STAGE_LINEAR = 9, /* on x flattened from dimension 1. state: weight, bias */
  MIXOP_STAGE_TANH = 10,
  MIXOP_STAGE_SIGMOID = 11,
  MIXOP_STAGE_GLOBAL_AVG_POOL = 12
};

/* One step of a chain y = stage_n(...stage_1(x)). Pairs are (height, width). */
typedef struct MixopStage {
  uint32_t size;
  int32_t kind;
  int32_t in_channels;
  int32_t out_channels;
  int32_t groups;
  int32_t kernel[2];
  int32_t stride[2];
  int32_t padding[2];
  int32_t dilation[2];
  int32_t state[5]; /* indices into the operator's state list; -1: absent */
  double epsilon;   /* batch norm */
  double momentum;  /* batch norm: running = (1 - momentum) * running + momentum * batch */
} MixopStage;

typedef struct MixopCost {
  uint32_t size;
  uint32_t reserved;
  int64_t parameters;
  int64_t multiply_adds; /* convolutions and linear layers of one sample */
} MixopCost;

typedef struct MixopOpInstance MixopOpInstance;

/*
 * An operator. Functions marked optional may be NULL. An instance is used by one thread at a time.
 *
 * Differentiation: `forward` composes ATen calls, which differentiate by themselves. An operator that exports
 * `backward` instead runs `forward` without recording; the host then makes the autograd node (once differentiable).
 */
typedef struct MixopOperator {
  uint32_t size;
  uint32_t domain; /* MIXOP_DOMAIN_* */
  MixopStatus (*create)(const MixopOpSpec* spec, MixopOpInstance** instance, MixopError* error);
  void (*destroy)(MixopOpInstance* instance);
  MixopStatus (*forward)(MixopOpInstance* instance, MixopTensor input, const MixopForward* how, MixopTensor* output,
                         MixopError* error);
  /* Parameters and buffers in published order: entry `index`, or MIXOP_ERROR_USAGE past the end. */
  uint32_t (*state_count)(MixopOpInstance* instance);
  MixopStatus (*state)(MixopOpInstance* instance, uint32_t index, MixopState* state, MixopError* error);
  /* Optional. `grad_parameters` has a slot for each parameter, in state order; a callee may leave one NULL for zero. */
  MixopStatus (*backward)(MixopOpInstance* instance, MixopTensor input, MixopTensor output, MixopTensor grad_output,
                          const MixopForward* how, MixopTensor* grad_input, MixopTensor* grad_parameters,
                          MixopError* error);
  /* Optional structure: the number of stages; writes at most `capacity` of them. 0: none, the forward is run. */
  uint32_t (*structure)(MixopOpInstance* instance, MixopStage* stages, uint32_t capacity);
  /* Optional: cost for one sample of shape [C, height, width] (recurrent: [C], height = width = 1). */
  MixopStatus (*cost)(MixopOpInstance* instance, int64_t height, int64_t width, MixopCost* cost, MixopError* error);
} MixopOperator;

#ifdef __cplusplus
}
#endif
