#pragma once

#include <cstdint>

#include "host/graph/measure.hpp"

namespace mixop {

/// What a network is run with, as far as memory goes.
struct StepSizes {
  std::int64_t samples = 0;        ///< images or words of a training step; 0: nothing is trained
  std::int64_t weight_bytes = 4;   ///< of a number of the weights
  std::int64_t weight_copies = 1;  ///< the weights and what has their size, such as gradients and momenta
  std::int64_t activation_bytes = 4;
};

/// Bytes that a network and a step on it take at least. Numbers too large are the largest.
struct Footprint {
  std::int64_t weights = 0;      ///< with their copies and the auxiliary head's
  std::int64_t activations = 0;  ///< that a step keeps for the way back
  std::int64_t total() const;
};

Footprint footprint(const MeasuredNetwork& network, const StepSizes& sizes);

/// Numbers in all of a network's weights, those of what runs in training only among them.
std::int64_t all_parameters(const MeasuredNetwork& network);

}  // namespace mixop
