#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mixop {

/// Uniform numbers in [0, 1) of that shape, in the type and on the device of `like`, made there: number i is draw i of
/// RandomStream(key), so they are a function of the key alone, the same on every device. Records no gradient.
at::Tensor uniform_numbers(at::IntArrayRef shape, std::uint64_t key, const at::Tensor& like);

}  // namespace mixop
