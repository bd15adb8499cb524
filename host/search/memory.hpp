#pragma once

#include <cstdint>
#include <functional>

#include "host/search/search.hpp"

namespace mixop {

/// The peak of this process's memory in steps of `batch` images, or columns of text, such as `like` holds, in bytes:
/// what the process holds after trial steps on one and on two random images, plus a step's allocations continued to the
/// batch.
std::int64_t predict_peak_memory(const Batch& like, std::int64_t batch, const std::function<void(const Batch&)>& step);

/// That of a search. The trials change its running statistics.
std::int64_t predict_peak_memory(Search& search);

}  // namespace mixop
