#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mixop {

/// Uniform numbers in [0, 1) of the shape, type (float32 or float64) and device of `like`: those of RandomStream(key) in
/// the order of the tensor, the same on every device, made there. Without a graph.
at::Tensor uniform_like(const at::Tensor& like, std::uint64_t key);

}  // namespace mixop
