#if __has_include(<torch/headeronly/version.h>)
#include <torch/headeronly/version.h>
#else
#include <torch/version.h>
#endif

#include "host/plugins/checks.hpp"
#include "mixop/build_flags.h"
#include "mixop/native_revision.h"

// The build sets it where LibTorch has CUDA: major * 1000 + minor * 10.
#ifndef MIXOP_CUDA_VERSION
#define MIXOP_CUDA_VERSION 0
#endif

namespace mixop {

HostTraits HostTraits::current() {
  HostTraits traits;
  traits.flags = MIXOP_BUILD_FLAGS;
  traits.libtorch = TORCH_VERSION_MAJOR << 16 | TORCH_VERSION_MINOR << 8 | TORCH_VERSION_PATCH;
  traits.cuda = MIXOP_CUDA_VERSION;
  traits.native_revision = MIXOP_NATIVE_REVISION;
  return traits;
}

}  // namespace mixop
