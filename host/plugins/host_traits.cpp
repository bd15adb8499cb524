#include "host/plugins/checks.hpp"
#include "mixop/build_flags.h"
#include "mixop/native_revision.h"

// The build says what it found: LibTorch as major << 16 | minor << 8 | patch, CUDA as major * 1000 + minor * 10, or 0.
#if !defined(MIXOP_LIBTORCH_VERSION) || !defined(MIXOP_CUDA_VERSION)
#error "define MIXOP_LIBTORCH_VERSION and MIXOP_CUDA_VERSION"
#endif

namespace mixop {

HostTraits HostTraits::current() {
  HostTraits traits;
  traits.flags = MIXOP_BUILD_FLAGS;
  traits.libtorch = MIXOP_LIBTORCH_VERSION;
  traits.cuda = MIXOP_CUDA_VERSION;
  traits.native_revision = MIXOP_NATIVE_REVISION;
  return traits;
}

}  // namespace mixop
