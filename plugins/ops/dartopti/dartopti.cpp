// The candidate operations that DARTOpti has beside those of DARTS (Heuillet et al.: "D-DARTS: Distributed
// Differentiable Architecture Search", arXiv 2108.09306), with the parameter names and order of its
// published code. The other eight of its twelve are those of mixop.ops.darts.
#include "mixop/chain.hpp"
#include "mixop/plugin.hpp"

namespace {

using mixop::Chain;
using mixop::ConvSpec;
using mixop::OpSpec;

/// ReLU, dense convolution, norm.
Chain simple_conv(const OpSpec& spec, std::int64_t kernel) {
  return mixop::relu_conv_norm("",
                               {.in = spec.channels,
                                .out = spec.channels,
                                .kernel = {kernel, kernel},
                                .stride = {spec.stride, spec.stride},
                                .padding = {kernel / 2, kernel / 2}},
                               spec.affine);
}

/// A 1x3 and a 3x1 convolution; each strides along its own axis.
Chain conv_3x1_1x3(const OpSpec& spec) {
  const std::int64_t c = spec.channels, s = spec.stride;
  Chain chain("op.");
  chain.relu()
      .conv({.in = c, .out = c, .kernel = {1, 3}, .stride = {1, s}, .padding = {0, 1}})
      .conv({.in = c, .out = c, .kernel = {3, 1}, .stride = {s, 1}, .padding = {1, 0}})
      .batch_norm(c, spec.affine);
  return chain;
}

/// The block of ResNet between its widest maps: 1x1, 3x3, 1x1 to four times the channels, and 1x1 back.
Chain bottleneck_1x3x1(const OpSpec& spec) {
  const std::int64_t c = spec.channels, wide = 4 * c, s = spec.stride;
  Chain chain("op.");
  chain.relu().conv({.in = c, .out = c}).batch_norm(c, spec.affine);
  chain.conv({.in = c, .out = c, .kernel = {3, 3}, .stride = {s, s}, .padding = {1, 1}}).batch_norm(c, spec.affine);
  chain.conv({.in = c, .out = wide}).batch_norm(wide, spec.affine);
  chain.relu().conv({.in = wide, .out = c}).batch_norm(c, spec.affine);
  return chain;
}

}  // namespace

MIXOP_PLUGIN("mixop.ops.dartopti", "0.1.0",
             "Candidate operations of DARTOpti beside those of DARTS (Heuillet et al., 2021).",
             mixop::chain_operator<conv_3x1_1x3>("conv_3x1_1x3"),
             mixop::chain_operator<[](const OpSpec& s) { return simple_conv(s, 1); }>("simple_conv_1x1"),
             mixop::chain_operator<[](const OpSpec& s) { return simple_conv(s, 3); }>("simple_conv_3x3"),
             mixop::chain_operator<bottleneck_1x3x1>("bottleneck_1x3x1"));
