#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mixop {

/// Values 0 and 1 / (1 - probability), each a function of (key, position), made on the device of `like` and in its type.
/// Undefined for a probability of 0.
at::Tensor dropout_mask(at::IntArrayRef shape, double probability, std::uint64_t key, const at::Tensor& like);

/// `x` times the mask, or `x` itself without one.
inline at::Tensor masked(const at::Tensor& x, const at::Tensor& mask) { return mask.defined() ? x.mul(mask) : x; }

}  // namespace mixop
