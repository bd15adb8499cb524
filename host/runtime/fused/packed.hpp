#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "host/runtime/fused/cpu/kernels.hpp"

namespace mixop {

/// Weights of a depthwise convolution for the kernels: [taps][period]. `flipped`: the taps in the order of a convolution
/// with the transposed window.
template <class T>
std::vector<T> packed_depthwise(const at::Tensor& weight, const cpu::Kernels<T>& kernels, bool flipped);

/// Weights of a dense convolution, [taps][in][out rounded up]; `transposed`: [taps][out][in rounded up].
template <class T>
std::vector<T> packed_dense(const at::Tensor& weight, const cpu::Kernels<T>& kernels, bool transposed, bool flipped);

/// What kernels summed in the form of packed_depthwise or packed_dense, as the gradient of `weight`. `sums` are added.
template <class T>
at::Tensor unpacked_depthwise(const at::Tensor& weight, const cpu::Kernels<T>& kernels, const std::vector<const T*>& sums);
template <class T>
at::Tensor unpacked_dense(const at::Tensor& weight, const cpu::Kernels<T>& kernels, const std::vector<const T*>& sums);

/// Repeats numbers of channels up to the period.
template <class T>
std::vector<T> tiled(const std::vector<double>& channels, std::int64_t period);

/// Numbers of a tensor on the CPU, in double; none of an undefined one.
std::vector<double> doubles_of(const at::Tensor& tensor);

}  // namespace mixop
