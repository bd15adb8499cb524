#pragma once

#include "mixop/structure_operator.hpp"

// An inverted residual without its sum (Sandler et al., CVPR 2018, section 3.3): a 1x1 convolution to three times the
// channels, a 3x3 depthwise one, a 1x1 convolution back. [N, in, H, W] to [N, out, ceil(H / stride), ceil(W / stride)].
inline mixop::Structure @file@_structure(const mixop::OpSpec& spec) {
  const std::int64_t wide = 3 * spec.in;
  return mixop::Structure("op.")
      .relu()
      .conv({.in = spec.in, .out = wide})
      .batch_norm(wide, spec.affine)
      .relu()
      .conv({.in = wide, .out = wide, .kernel = {3, 3}, .stride = {spec.stride, spec.stride}, .padding = {1, 1}, .groups = wide})
      .conv({.in = wide, .out = spec.out})
      .batch_norm(spec.out, spec.affine);
}
