#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MIXOP_ABI_MAJOR 1
#define MIXOP_ABI_MINOR 1

#define MIXOP_NOTE_SECTION ".note.mixop"
#define MIXOP_NOTE_NAME "mixop"
#define MIXOP_NOTE_TYPE 1u

/* Kinds of component, as bits of MixopNote.kinds and as MixopComponent.kind. */
enum { MIXOP_KIND_OPERATOR = 1, MIXOP_KIND_SPACE = 2, MIXOP_KIND_DATASET = 4, MIXOP_KIND_STRATEGY = 8 };

/* How closely a plugin is coupled to LibTorch. */
enum {
  MIXOP_TIER_NONE = 0,   /* does not use LibTorch */
  MIXOP_TIER_STABLE = 1, /* LibTorch's stable C ABI only: any LibTorch from libtorch_version on, same CUDA major */
  MIXOP_TIER_NATIVE = 2  /* LibTorch's C++ API: exactly the host's LibTorch version and native revision */
};

/* Bits of MixopNote.flags: how the binary was compiled. */
enum {
  MIXOP_FLAG_CXX11_ABI = 1,
  MIXOP_FLAG_DEBUG_STDLIB = 2,
  MIXOP_FLAG_ASAN = 4,
  MIXOP_FLAG_TSAN = 8,
  MIXOP_FLAG_CUDA = 16
};

/*
 * The plugin's identity, readable without loading it: one ELF note (type MIXOP_NOTE_TYPE) in section .note.mixop.
 * Little endian, 64 bytes in all. Versions are major << 16 | minor << 8 | patch; CUDA's is major * 1000 + minor * 10.
 */
typedef struct MixopNote {
  uint32_t name_size; /* 6: "mixop" and its NUL */
  uint32_t desc_size; /* 44: all that follows the name */
  uint32_t type;      /* MIXOP_NOTE_TYPE */
  char name[8];       /* "mixop", padded with NUL to a multiple of four */
  uint16_t abi_major;
  uint16_t abi_minor;
  uint32_t kinds;
  uint32_t tier;
  uint32_t flags;
  uint32_t libtorch_version; /* 0 in tier none */
  uint32_t cuda_version;     /* 0 without CUDA */
  uint32_t native_revision;  /* MIXOP_NATIVE_REVISION where C++ types cross: kinds space and strategy, tier native; else 0 */
  uint32_t reserved[4];      /* zero */
} MixopNote;

#ifdef __cplusplus
}
#endif
