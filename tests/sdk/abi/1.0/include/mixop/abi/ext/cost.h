#pragma once

#include "mixop/abi/operator.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif
