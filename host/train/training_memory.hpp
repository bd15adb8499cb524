#pragma once

#include <cstdint>

#include "host/train/training.hpp"

namespace mixop {

/// Peak resident memory of a training in bytes, as predict_peak_memory() of a search predicts it.
std::int64_t predict_peak_memory(Training& training);

}  // namespace mixop
