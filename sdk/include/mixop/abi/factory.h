#pragma once

#include "mixop/abi/error.h"
#include "mixop/abi/option.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The table behind every interface that is a C++ class (spaces and the parts of strategies): plugins of tier native,
 * which share the host's LibTorch, compiler ABI and standard library.
 */
typedef struct MixopFactory {
  uint32_t size;
  uint32_t option_count;
  const MixopOptionSpec* options; /* users set them as <component>.<name> */
  /* A new object of the C++ interface that the component's `interface` names, as that interface's pointer. */
  MixopStatus (*create)(const MixopOptionValue* values, uint32_t count, void** object, MixopError* error);
  void (*destroy)(void* object);
} MixopFactory;

#define MIXOP_STRATEGY_INTERFACE "mixop.strategy/1"

/* A named strategy: which part stands in each place. */
typedef struct MixopStrategy {
  uint32_t size;
  uint32_t reserved;
  const char* relaxation;
  const char* hypergradient;
  const char* regulariser;
  const char* edge_transform;
  const char* stopper;
  const char* deriver;
  const char* summary; /* one sentence with its source */
} MixopStrategy;

#ifdef __cplusplus
}
#endif
