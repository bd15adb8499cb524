#pragma once

#include <torch/headeronly/macros/Macros.h>

#include <cstdint>
#include <type_traits>

// One pass over images, on either device. Forward: y, the blur of x by [1 2 1] / 4 in both directions with zeros from
// outside, at every stride-th pixel (Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019).
// Backward: the gradient of x from that of y.
template <class T>
struct @class@Pass {
  using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const T* from;
  T* to;
  std::int64_t count, from_height, from_width, to_height, to_width, stride;  // count: elements of `to`
  bool backward;

  // Element `index` of `to`.
  C10_HOST_DEVICE T at(std::int64_t index) const {
    const std::int64_t plane = index / (to_width * to_height), i = index / to_width % to_height, j = index % to_width;
    Sum sum = 0;
    for (int u = -1; u <= 1; ++u)
      for (int v = -1; v <= 1; ++v) {
        const std::int64_t p = place(i, u, from_height), q = place(j, v, from_width);
        if (p >= 0 && q >= 0)
          sum += Sum((2 - u * u) * (2 - v * v)) * Sum(from[(plane * from_height + p) * from_width + q]);
      }
    return T(sum / 16);
  }

 private:
  // Where an offset from row or column `at` of `to` lies in `from`; -1 where it does not.
  C10_HOST_DEVICE std::int64_t place(std::int64_t at, int offset, std::int64_t size) const {
    if (backward && (at - offset) % stride != 0) return -1;
    const std::int64_t found = backward ? (at - offset) / stride : at * stride + offset;
    return found < size ? found : -1;
  }
};

// @file@.cu, or without nvcc no_cuda.cpp, which knows no device and throws.
int cuda_devices();
// Writes all of `to` on a CUDA device. For float, double and BFloat16.
template <class T>
void run_on_cuda(const @class@Pass<T>& pass, std::int32_t device);
