#pragma once

#include <cstdint>

#include "host/search/search.hpp"

namespace mixop {

/// The peak of this process's memory in the search, in bytes: what the process holds after trial steps on one and on
/// two random images, plus a step's allocations continued to the batch. The trials change the search's running
/// statistics.
std::int64_t predict_peak_memory(Search& search);

}  // namespace mixop
