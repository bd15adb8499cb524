#pragma once

#include "mixop/abi/note.h"

#ifdef __cplusplus
#include <cstddef> /* defines the standard library's configuration macros */
#endif

#if defined(__SANITIZE_ADDRESS__)
#define MIXOP_DETAIL_ASAN MIXOP_FLAG_ASAN
#else
#define MIXOP_DETAIL_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__)
#define MIXOP_DETAIL_TSAN MIXOP_FLAG_TSAN
#else
#define MIXOP_DETAIL_TSAN 0
#endif
#if defined(_GLIBCXX_DEBUG)
#define MIXOP_DETAIL_DEBUG MIXOP_FLAG_DEBUG_STDLIB
#else
#define MIXOP_DETAIL_DEBUG 0
#endif
/* C sources have no standard library to disagree about and state the current string ABI. */
#if !defined(__cplusplus) || (defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI)
#define MIXOP_DETAIL_CXX11 MIXOP_FLAG_CXX11_ABI
#else
#define MIXOP_DETAIL_CXX11 0
#endif

/* How this translation unit is compiled, as bits of MixopNote.flags (without the CUDA bit). */
#define MIXOP_BUILD_FLAGS (MIXOP_DETAIL_CXX11 | MIXOP_DETAIL_DEBUG | MIXOP_DETAIL_ASAN | MIXOP_DETAIL_TSAN)
