#pragma once

#include "mixop/structure_operator.hpp"

// Set in the operator's name: acme.ghost:ratio=4.
inline constexpr MixopOptionSpec ghost_options[] = {
    mixop::option(MIXOP_OPTION_INTEGER, "ratio", "2",
                  "How many channels come of one that the 1x1 convolution makes, from 2 on."),
};

// A Ghost convolution (Han et al., GhostNet, CVPR 2020, section 3.1, where `ratio` is s): a 1x1 convolution makes out /
// ratio channels, and a 3x3 depthwise one of these the others. [N, in, H, W] to [N, out, ceil(H / stride), ceil(W /
// stride)].
inline mixop::Structure ghost(const mixop::OpSpec& spec) {
  const std::int64_t ratio = spec.options.integer("ratio");
  if (ratio < 2)
    throw mixop::Error(mixop::ErrorCode::usage, "ratio: expected a number from 2 on, found " + std::to_string(ratio));
  if (spec.out % ratio != 0)
    throw mixop::Error(mixop::ErrorCode::unsupported, "it makes channels " + std::to_string(ratio) +
                                                          " at a time; expected a multiple out, found " +
                                                          std::to_string(spec.out));
  const std::int64_t few = spec.out / ratio, others = spec.out - few;
  mixop::Structure op("op.");
  op.relu().conv({.in = spec.in, .out = few, .stride = {spec.stride, spec.stride}}).batch_norm(few, spec.affine);
  const int primary = op.here();
  op.relu().conv({.in = few, .out = others, .kernel = {3, 3}, .padding = {1, 1}, .groups = few});
  op.batch_norm(others, spec.affine);
  return op.concat({primary, op.here()});
}
