// The candidate operations that DARTOpti has beside those of DARTS (Heuillet et al.: "D-DARTS: Distributed
// Differentiable Architecture Search", arXiv 2108.09306), with the parameter names and order of its
// published code. The other eight of its twelve are those of mixop.ops.darts.
#include "mixop/plugin.hpp"
#include "mixop/structure_operator.hpp"

namespace {

using mixop::OpSpec;
using mixop::Structure;

/// ReLU, dense convolution, norm.
Structure simple_conv(const OpSpec& spec, std::int64_t kernel) {
  return mixop::relu_conv_norm("",
                               {.in = spec.in,
                                .out = spec.out,
                                .kernel = {kernel, kernel},
                                .stride = {spec.stride, spec.stride},
                                .padding = {kernel / 2, kernel / 2}},
                               spec.affine);
}

/// A 1x3 and a 3x1 convolution; each strides along its own axis.
Structure conv_3x1_1x3(const OpSpec& spec) {
  const std::int64_t s = spec.stride;
  Structure structure("op.");
  structure.relu()
      .conv({.in = spec.in, .out = spec.out, .kernel = {1, 3}, .stride = {1, s}, .padding = {0, 1}})
      .conv({.in = spec.out, .out = spec.out, .kernel = {3, 1}, .stride = {s, 1}, .padding = {1, 0}})
      .batch_norm(spec.out, spec.affine);
  return structure;
}

/// The block of ResNet between its widest maps: 1x1, 3x3, 1x1 to four times the channels, and 1x1 back.
Structure bottleneck_1x3x1(const OpSpec& spec) {
  const std::int64_t c = spec.out, wide = 4 * c, s = spec.stride;
  Structure structure("op.");
  structure.relu().conv({.in = spec.in, .out = c}).batch_norm(c, spec.affine);
  structure.conv({.in = c, .out = c, .kernel = {3, 3}, .stride = {s, s}, .padding = {1, 1}}).batch_norm(c, spec.affine);
  structure.conv({.in = c, .out = wide}).batch_norm(wide, spec.affine);
  structure.relu().conv({.in = wide, .out = c}).batch_norm(c, spec.affine);
  return structure;
}

}  // namespace

MIXOP_PLUGIN(
    "mixop.ops.dartopti", "0.1.0", "Candidate operations of DARTOpti beside those of DARTS (Heuillet et al., 2021).",
    mixop::structure_operator<conv_3x1_1x3>("conv_3x1_1x3", "A 1x3 and a 3x1 convolution."),
    mixop::structure_operator<[](const OpSpec& s) { return simple_conv(s, 1); }>("simple_conv_1x1", "1x1 convolution."),
    mixop::structure_operator<[](const OpSpec& s) { return simple_conv(s, 3); }>("simple_conv_3x3", "3x3 convolution."),
    mixop::structure_operator<bottleneck_1x3x1>("bottleneck_1x3x1", "A bottleneck: 1x1, 3x3 and 1x1 convolution."));
