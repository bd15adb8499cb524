#pragma once

#include "mixop/abi/error.h"
#include "mixop/abi/option.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The table behind every interface that is a C++ class: spaces and the parts of strategies. What makes their C++ types the
 * same on both sides is in the note: the native revision, the flags of compiler and standard library, and where tensors
 * cross (tier native) the LibTorch version. The standard library itself is the one that the process has loaded.
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

/* One part of a named strategy. */
typedef struct MixopStrategyPart {
  uint32_t size;
  uint32_t option_count;
  const char* slot; /* "relaxation": a name of mixop/slots.hpp */
  const char* part; /* the name of a component whose interface is that slot's */
  /* Values of the part's own options that differ from its defaults; what users set wins over them. */
  const MixopOptionValue* options;
} MixopStrategyPart;

/* A named strategy: which part stands in each slot. Slots that it does not name are empty, where they may be. */
typedef struct MixopStrategy {
  uint32_t size;
  uint32_t part_count;
  const MixopStrategyPart* parts; /* each slot at most once; a reader steps by parts->size */
  const char* summary;            /* one sentence with its source */
} MixopStrategy;

#ifdef __cplusplus
}
#endif
