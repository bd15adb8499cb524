#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a plugin has to say, among the host's own messages: MixopHost.get_extension. */
#define MIXOP_LOG_EXTENSION "mixop.log/1"

enum { MIXOP_LOG_DEBUG = 0, MIXOP_LOG_INFO = 1, MIXOP_LOG_WARNING = 2 };

typedef struct MixopLog {
  uint32_t size;
  uint32_t reserved;
  void (*log)(int32_t level, const char* message); /* one line of UTF-8; from any thread */
} MixopLog;

#ifdef __cplusplus
}
#endif
