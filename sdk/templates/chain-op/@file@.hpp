#pragma once

#include "mixop/structure_operator.hpp"

// What users set in the operator's name, @name@:expansion=6; without it the default stands.
inline constexpr MixopOptionSpec @file@_options[] = {
    mixop::option(MIXOP_OPTION_INTEGER, "expansion", "3", "How many times as wide the depthwise convolution is, from 1 on."),
};

// An inverted residual without its sum (Sandler et al., CVPR 2018, section 3.3): a 1x1 convolution to `expansion` times the
// channels, a 3x3 depthwise one, a 1x1 convolution back. [N, in, H, W] to [N, out, ceil(H / stride), ceil(W / stride)].
inline mixop::Structure @file@_structure(const mixop::OpSpec& spec) {
  const std::int64_t expansion = spec.options.integer("expansion"), wide = expansion * spec.in;
  if (expansion < 1)
    throw mixop::Error(mixop::ErrorCode::usage, "expansion: expected a number from 1 on, found " + std::to_string(expansion));
  return mixop::Structure("op.")
      .relu()
      .conv({.in = spec.in, .out = wide})
      .batch_norm(wide, spec.affine)
      .relu()
      .conv({.in = wide, .out = wide, .kernel = {3, 3}, .stride = {spec.stride, spec.stride}, .padding = {1, 1}, .groups = wide})
      .conv({.in = wide, .out = spec.out})
      .batch_norm(spec.out, spec.affine);
}
