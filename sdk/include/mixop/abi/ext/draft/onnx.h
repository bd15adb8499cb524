#pragma once

#include "mixop/abi/operator.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Draft: may change or go between minor versions; no host reads it yet. Once it is stable this header moves to
 * mixop/abi/ext, and its id stays as it is, so that binaries go on working.
 *
 * The ONNX form of an operator that has no structure.
 */
#define MIXOP_ONNX_EXTENSION "mixop.draft.onnx/1"

/* Takes a serialized onnx.GraphProto, for the call alone. */
typedef void (*MixopOnnxSink)(void* context, const void* bytes, uint64_t count);

typedef struct MixopOnnx {
  uint32_t size;
  uint32_t opset; /* of the default domain that the nodes are written for */
  /*
   * Calls `sink` once, for evaluation. The graph has one input, "input", one output, "output", and no initializers: what
   * else its nodes read are the operator's state by name, such as "op.1.weight".
   */
  MixopStatus (*graph)(const MixopOpSpec* spec, MixopOnnxSink sink, void* context, MixopError* error);
} MixopOnnx;

#ifdef __cplusplus
}
#endif
