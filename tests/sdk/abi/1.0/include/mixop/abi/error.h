#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call across the plugin boundary returns: MIXOP_OK or the code that it also left in MixopError. */
typedef int32_t MixopStatus;

enum {
  MIXOP_OK = 0,
  MIXOP_ERROR_FAILED = 1,     /* the operation itself failed */
  MIXOP_ERROR_USAGE = 2,      /* a wrong argument, option or configuration */
  MIXOP_ERROR_BAD_DATA = 3,   /* a file's content is not what it must be */
  MIXOP_ERROR_PLUGIN = 4,     /* a plugin breaks its contract */
  MIXOP_ERROR_UNSUPPORTED = 5 /* a valid request that this component does not serve */
};

/* Owned by the caller, who sets `size`; the callee writes `code` and a NUL-terminated UTF-8 message. 512 bytes. */
typedef struct MixopError {
  uint32_t size;
  int32_t code;
  char message[504];
} MixopError;

#ifdef __cplusplus
}
#endif
