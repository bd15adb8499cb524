#pragma once

#include <algorithm>

#include "mixop/structure_operator.hpp"

// A separable convolution whose channels are weighed by what all of the map holds: squeeze-and-excitation (Hu, Shen,
// Sun, CVPR 2018, section 3) with a reduction ratio of 4. Shapes are [N, in, H, W] to [N, out, ceil(H / stride),
// ceil(W / stride)].
inline mixop::Structure squeeze_excitation(const mixop::OpSpec& spec) {
  const std::int64_t in = spec.in, out = spec.out, stride = spec.stride, few = std::max<std::int64_t>(out / 4, 1);
  mixop::Structure op("op.");
  op.relu();
  op.conv({.in = in, .out = in, .kernel = {3, 3}, .stride = {stride, stride}, .padding = {1, 1}, .groups = in});
  op.conv({.in = in, .out = out}).batch_norm(out, spec.affine);
  const int map = op.here();
  op.name("squeeze").global_avg_pool().conv({.in = out, .out = few, .bias = true}).relu();
  op.name("excite").conv({.in = few, .out = out, .bias = true}).sigmoid();
  return op.multiply(map);
}
