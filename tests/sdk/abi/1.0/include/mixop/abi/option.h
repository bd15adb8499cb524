#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  MIXOP_OPTION_BOOL = 0,
  MIXOP_OPTION_INTEGER = 1,
  MIXOP_OPTION_REAL = 2,
  MIXOP_OPTION_TEXT = 3,
  MIXOP_OPTION_LIST = 4
};

/* An option that a component understands; users set it as <component>.<name>. */
typedef struct MixopOptionSpec {
  uint32_t size;
  int32_t type; /* MIXOP_OPTION_* */
  const char* name;
  const char* default_value; /* as text: "true", "10", "0.5", "a,b" */
  const char* help;          /* one sentence, with the unit and the allowed values */
} MixopOptionSpec;

typedef struct MixopOptionValue {
  const char* name;
  const char* value; /* as text, already checked against the option's type */
} MixopOptionValue;

#ifdef __cplusplus
}
#endif
