#pragma once

#include <c10/util/ThreadLocalDebugInfo.h>

#include "host/archive/archive.hpp"

namespace mixop {

/// As long as it lives, what LibTorch allocates in this thread stays within what a network of the archive's weights and
/// buffers needs, four times their bytes and 16 MiB; more throws bad_data before the memory is touched. A right digest
/// does not say that the config means a network of that size.
class NetworkSizeLimit {
 public:
  explicit NetworkSizeLimit(const Archive& archive);

 private:
  c10::DebugInfoGuard guard_;
};

}  // namespace mixop
