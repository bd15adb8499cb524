#pragma once

#include "mixop/abi/error.h"
#include "mixop/abi/note.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Rules of every struct here: `size` comes first and holds the writer's sizeof; fields are only appended; a reader
 * touches a field only when `size` covers it. Strings are NUL-terminated UTF-8 and live as long as the library.
 */

/* One thing that a plugin offers. */
typedef struct MixopComponent {
  uint32_t size;
  uint32_t kind;         /* one MIXOP_KIND_* bit */
  const char* name;      /* as users write it: "sep_conv_3x3"; a third party's is reverse-DNS: "acme.ghost_conv" */
  const char* interface; /* "mixop.operator/1", "mixop.dataset/1", "mixop.space/1", "mixop.relaxation/1", ... */
  const void* table;     /* what `interface` says */
} MixopComponent;

/* What the host offers to a plugin in init. */
typedef struct MixopHost {
  uint32_t size;
  const char* version;                             /* the host's mixop version */
  void (*log)(int32_t level, const char* message); /* level: 0 debug, 1 info, 2 warning */
  const void* (*get_extension)(const char* id);    /* NULL where the host does not have it */
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
  MixopStatus (*init)(const MixopHost* host, MixopError* error); /* NULL: nothing to prepare. Called once. */
  const void* (*get_extension)(const char* id);                  /* NULL: none */
} MixopPluginDescriptor;

/* The only symbol that a plugin exports. The descriptor lives as long as the library. */
#define MIXOP_PLUGIN_SYMBOL "mixop_plugin_v1"
typedef const MixopPluginDescriptor* (*MixopPluginEntry)(void);

#ifdef __cplusplus
}
#endif
