#pragma once

#include <cstdint>
#include <string>

#include "host/archive/archive.hpp"
#include "host/config/config.hpp"
#include "host/graph/footprint.hpp"
#include "host/process/memory_room.hpp"
#include "host/task/task.hpp"

// What is refused before the memory of a network is taken. Both go by the graph alone.

namespace mixop {

/// Throws usage where a network and a step on it take more than this process may; `keys` are those to lower, with
/// their values.
void require_memory(const Footprint& need, const std::string& keys, const MemoryRoom& room = memory_room());

/// The same for a run on the CPU with steps of `batch`, or 0 where nothing is trained. A GPU has memory of its own.
void require_memory(const MeasuredNetwork& network, const Config& config, const Task& task, std::int64_t batch);

/// Throws bad_data where a network has more parameters than the archive beside its config: a right digest does not say
/// that the config means a network of that size.
void require_stored(const Archive& archive, std::int64_t parameters);

}  // namespace mixop
