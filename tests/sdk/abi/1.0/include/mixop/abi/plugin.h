#pragma once

#include "mixop/abi/error.h"
#include "mixop/abi/note.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Rules of every struct with a `size`: it comes first and holds the writer's sizeof; fields are only appended; a reader
 * touches a field only when `size` covers it, and goes through an array in steps of its first element's size. MixopError
 * and structs without a size (MixopNote, MixopOptionValue) never change. Strings are NUL-terminated UTF-8 and live as
 * long as the library.
 */

/* One thing that a plugin offers. */
typedef struct MixopComponent {
  uint32_t size;
  uint32_t kind;         /* one MIXOP_KIND_* bit */
  const char* name;      /* as users write it: "sep_conv_3x3"; a third party's is reverse-DNS: "acme.ghost_conv" */
  const char* interface; /* "mixop.operator/1", "mixop.dataset/1", "mixop.space/1", "mixop.relaxation/1", ... */
  const void* table;     /* what `interface` says */
  const char* summary;   /* one sentence, for lists; NULL: the plugin's stands for it */
} MixopComponent;

/* What the host offers to a plugin in init. */
typedef struct MixopHost {
  uint32_t size;
  const char* version; /* the host's mixop version */
  /* The table of an id of mixop/abi/ext, such as MIXOP_LOG_EXTENSION of ext/log.h, or NULL. From any thread. */
  const void* (*get_extension)(const char* id);
} MixopHost;

typedef struct MixopPluginDescriptor {
  uint32_t size;
  uint16_t abi_major; /* as in the note */
  uint16_t abi_minor;
  const char* id;      /* unique among loaded plugins: "mixop.ops.darts", "org.acme.ghost" */
  const char* version; /* of the plugin: "1.2.0" */
  const char* summary; /* one sentence */
  uint32_t component_count;
  uint32_t reserved;
  const MixopComponent* components;
  /* NULL: nothing to prepare. Called once; `host` lives until the process ends. */
  MixopStatus (*init)(const MixopHost* host, MixopError* error);
} MixopPluginDescriptor;

/* The only symbol that a plugin exports. The descriptor lives as long as the library. */
#define MIXOP_PLUGIN_SYMBOL "mixop_plugin_v1"
typedef const MixopPluginDescriptor* (*MixopPluginEntry)(void);

#ifdef __cplusplus
}
#endif
