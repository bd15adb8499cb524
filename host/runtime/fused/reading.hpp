#pragma once

#include <cstdint>
#include <vector>

#include "host/runtime/fused/chain.hpp"
#include "host/runtime/fused/cpu/kernels.hpp"

namespace mixop {

/// How windows of one stride read a map: the padded copy of it, and where in it their places lie.
struct Reading {
  cpu::PaddedMap map;
  std::int64_t height = 0, width = 0;              ///< of what the windows put out
  std::int64_t row = 0;                            ///< numbers between the first places of two rows of the output
  std::vector<std::vector<std::int64_t>> offsets;  ///< of each window: its places, row by row
};

/// At least one window. The output's size is that of the first.
Reading reading_of(std::int64_t height, std::int64_t width, std::int64_t channels, const std::vector<Window>& windows,
                   std::int64_t period);

/// The window that the gradient of a convolution's input reads the gradient of its output through, with the taps in
/// reverse; it exists for a stride of 1 and a padding that is not larger than the window.
bool has_transposed(const Window& window);
Window transposed(const Window& window);

}  // namespace mixop
