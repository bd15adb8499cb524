#pragma once

#include <c10/util/ThreadLocalDebugInfo.h>

#include <cstdint>
#include <functional>

#include "host/archive/archive.hpp"

namespace mixop {

/// As long as it lives, what LibTorch allocates in this thread stays within `most` bytes; for more `refuse`, which
/// throws, is called before the memory is touched. An inner limit stands in the place of an outer one.
class AllocationLimit {
 public:
  AllocationLimit(std::int64_t most, std::function<void(std::int64_t held)> refuse);

 private:
  c10::DebugInfoGuard guard_;
};

/// The limit for a network of the archive's weights and buffers: four times their bytes and 16 MiB; more is bad_data. A
/// right digest does not say that the config means a network of that size.
class NetworkSizeLimit {
 public:
  explicit NetworkSizeLimit(const Archive& archive);

 private:
  AllocationLimit limit_;
};

/// The same limit on bytes that somebody has counted.
void require_size(const Archive& archive, std::int64_t bytes);

/// Half of the memory that this machine has free; as good as without bounds where it does not tell.
std::int64_t half_of_free_memory();

/// The limit for sizes that a user chose; more is a usage error. A network of which a trial takes more than half of the
/// memory that is free does not run in the rest, and other programs go on.
class MachineLimit {
 public:
  explicit MachineLimit(std::int64_t most = half_of_free_memory());

 private:
  AllocationLimit limit_;
};

}  // namespace mixop
