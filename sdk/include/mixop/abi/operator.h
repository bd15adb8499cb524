#pragma once

#include "mixop/abi/error.h"
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
  int64_t elements; /* numbers in it */
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
 * `get_extension` answers the table of an id below, or NULL; it may be NULL itself.
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
} MixopOperator;

/* The structure of an operator: a small graph of stages, whose last value is the output. */
#define MIXOP_STRUCTURE_EXTENSION "mixop.structure/1"

enum {
  MIXOP_STAGE_ZERO = 1, /* zeros, of the shape of x[:, :, ::stride, ::stride] */
  MIXOP_STAGE_IDENTITY = 2,
  MIXOP_STAGE_RELU = 3,
  MIXOP_STAGE_TANH = 4,
  MIXOP_STAGE_SIGMOID = 5,
  MIXOP_STAGE_CONV = 6,       /* state: weight [out, in / groups, kernel], with bias: bias */
  MIXOP_STAGE_BATCH_NORM = 7, /* state: with affine: weight, bias; running_mean, running_var, num_batches_tracked */
  MIXOP_STAGE_MAX_POOL = 8,
  MIXOP_STAGE_AVG_POOL = 9, /* padding is not counted */
  MIXOP_STAGE_GLOBAL_AVG_POOL = 10, /* to one pixel */
  MIXOP_STAGE_LINEAR = 11,          /* on x flattened from dimension 1. state: weight [out, in], with bias: bias */
  MIXOP_STAGE_SHIFT = 12,    /* x[:, :, 1:, 1:]; an odd side gets a row or column of zeros at its far end */
  MIXOP_STAGE_ADD = 13,      /* of two values of one shape */
  MIXOP_STAGE_MULTIPLY = 14, /* of two values; one may have one pixel or one channel */
  MIXOP_STAGE_CONCAT = 15,   /* of any number of values, along channels */
  MIXOP_STAGE_SHUFFLE = 16   /* channels in `groups` groups, transposed */
};

/* Pairs are (height, width). State is named NAME.weight and so on. */
typedef struct MixopStage {
  uint32_t size;
  int32_t kind; /* MIXOP_STAGE_* */
  const char* name;
  const int32_t* inputs; /* the values that it reads: 0 is the operator's input, i the output of stage i - 1 */
  uint32_t input_count;
  int32_t affine;
  int32_t bias;
  uint32_t reserved;
  int64_t in;
  int64_t out;
  int64_t groups;
  int64_t kernel[2];
  int64_t stride[2];
  int64_t padding[2];
  int64_t dilation[2];
  double epsilon;  /* batch norm */
  double momentum; /* batch norm: running = (1 - momentum) * running + momentum * batch */
} MixopStage;

/* Takes an array of stages, for the call alone; a reader steps by stages->size. */
typedef void (*MixopStructureSink)(void* context, const MixopStage* stages, uint32_t count);

typedef struct MixopStructure {
  uint32_t size;
  uint32_t reserved;
  /* Calls `sink` once. Needs no instance: a network is counted before it is made. */
  MixopStatus (*describe)(const MixopOpSpec* spec, MixopStructureSink sink, void* context, MixopError* error);
} MixopStructure;

/* What an operator without a structure costs. */
#define MIXOP_COST_EXTENSION "mixop.cost/1"

typedef struct MixopCost {
  uint32_t size;
  uint32_t reserved;
  int64_t parameters;
  int64_t multiply_adds; /* convolutions and linear layers of one sample, in evaluation */
  int64_t activations;   /* numbers that its layers put out for one sample, in training */
} MixopCost;

typedef struct MixopCostTable {
  uint32_t size;
  uint32_t reserved;
  /* For one sample of shape [in, height, width] (recurrent: [in], height = width = 1). Needs no instance. */
  MixopStatus (*cost)(const MixopOpSpec* spec, int64_t height, int64_t width, MixopCost* cost, MixopError* error);
} MixopCostTable;

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
