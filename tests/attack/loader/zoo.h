/* What the plugins of the zoo share, in C and in C++: the note, and the trace that shows whether their code has run. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "mixop/abi/plugin.h"
#include "mixop/build_flags.h"
#include "mixop/native_revision.h"

#ifndef ZOO_MAJOR
#define ZOO_MAJOR MIXOP_ABI_MAJOR
#endif
#ifndef ZOO_MINOR
#define ZOO_MINOR MIXOP_ABI_MINOR
#endif
#ifndef ZOO_TIER
#define ZOO_TIER MIXOP_PLUGIN_TIER
#endif
#ifndef ZOO_LIBTORCH
#define ZOO_LIBTORCH MIXOP_PLUGIN_LIBTORCH
#endif
#ifndef ZOO_CUDA
#define ZOO_CUDA MIXOP_PLUGIN_CUDA
#endif
#ifndef ZOO_FLAGS
#define ZOO_FLAGS 0
#endif
#ifndef ZOO_REVISION
#define ZOO_REVISION MIXOP_NATIVE_REVISION_OF(MIXOP_PLUGIN_KINDS, ZOO_TIER)
#endif
#ifndef ZOO_RESERVED
#define ZOO_RESERVED 0
#endif

#define ZOO_NOTE(name)                                                                           \
  __attribute__((section(MIXOP_NOTE_SECTION), used, aligned(4))) static const MixopNote name = { \
      sizeof MIXOP_NOTE_NAME, 44,        MIXOP_NOTE_TYPE,                                        \
      MIXOP_NOTE_NAME,        ZOO_MAJOR, ZOO_MINOR,                                              \
      MIXOP_PLUGIN_KINDS,     ZOO_TIER,  MIXOP_BUILD_FLAGS | (ZOO_FLAGS),                        \
      ZOO_LIBTORCH,           ZOO_CUDA,  ZOO_REVISION,                                           \
      {ZOO_RESERVED, 0, 0, 0}}

/* Creates the file that MIXOP_ZOO_TRACE names. */
static void leave_trace(void) {
  const char* trace = getenv("MIXOP_ZOO_TRACE");
  FILE* file = trace == NULL ? NULL : fopen(trace, "w");
  if (file != NULL) fclose(file);
}
