#pragma once

#include "mixop/abi/operator.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif
