#pragma once

#include "mixop/structure_operator.hpp"

// A Ghost convolution (Han et al., GhostNet, CVPR 2020, section 3.1): a 1x1 convolution makes half of the channels, and
// a 3x3 depthwise one of these the other half. [N, in, H, W] to [N, out, ceil(H / stride), ceil(W / stride)].
inline mixop::Structure ghost(const mixop::OpSpec& spec) {
  if (spec.out % 2 != 0)
    throw mixop::Error(mixop::ErrorCode::unsupported,
                       "it makes channels in pairs; expected an even number out, found " + std::to_string(spec.out));
  const std::int64_t half = spec.out / 2;
  mixop::Structure op("op.");
  op.relu().conv({.in = spec.in, .out = half, .stride = {spec.stride, spec.stride}}).batch_norm(half, spec.affine);
  const int primary = op.here();
  op.relu().conv({.in = half, .out = half, .kernel = {3, 3}, .padding = {1, 1}, .groups = half});
  op.batch_norm(half, spec.affine);
  return op.concat({primary, op.here()});
}
