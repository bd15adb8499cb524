// The candidate operations of DARTS (Liu, Simonyan, Yang: "DARTS: Differentiable Architecture Search", ICLR 2019,
// section 3.1), with the parameter names and order of its published code.
#include "mixop/plugin.hpp"
#include "mixop/structure_operator.hpp"

namespace {

using mixop::ConvSpec;
using mixop::OpSpec;
using mixop::Structure;

ConvSpec depthwise(std::int64_t channels, std::int64_t kernel, std::int64_t stride, std::int64_t dilation) {
  const std::int64_t padding = dilation * (kernel - 1) / 2;
  return {.in = channels,
          .out = channels,
          .kernel = {kernel, kernel},
          .stride = {stride, stride},
          .padding = {padding, padding},
          .dilation = {dilation, dilation},
          .groups = channels};
}

/// ReLU, depthwise, pointwise, norm; twice, the stride and the new number of channels in the first pair.
Structure separable(const OpSpec& spec, std::int64_t kernel) {
  Structure structure("op.");
  structure.relu().conv(depthwise(spec.in, kernel, spec.stride, 1)).conv({.in = spec.in, .out = spec.out});
  structure.batch_norm(spec.out, spec.affine);
  structure.relu().conv(depthwise(spec.out, kernel, 1, 1)).conv({.in = spec.out, .out = spec.out});
  structure.batch_norm(spec.out, spec.affine);
  return structure;
}

Structure dilated(const OpSpec& spec, std::int64_t kernel) {
  Structure structure("op.");
  structure.relu().conv(depthwise(spec.in, kernel, spec.stride, 2)).conv({.in = spec.in, .out = spec.out});
  structure.batch_norm(spec.out, spec.affine);
  return structure;
}

Structure none(const OpSpec& spec) {
  mixop::require_same_channels(spec);
  return Structure().zero(spec.stride);
}

Structure max_pool(const OpSpec& spec) {
  mixop::require_same_channels(spec);
  return Structure().max_pool(3, spec.stride, 1);
}

Structure avg_pool(const OpSpec& spec) {
  mixop::require_same_channels(spec);
  return Structure().avg_pool(3, spec.stride, 1);
}

/// The identity, or at stride 2 a factorized reduction.
Structure skip(const OpSpec& spec) {
  if (spec.stride == 2) return mixop::relu_reduce_norm("", spec.in, spec.out, spec.affine);
  mixop::require_same_channels(spec);
  return Structure().identity();
}

/// A 1x7 and a 7x1 convolution; each strides along its own axis.
Structure conv_7x1_1x7(const OpSpec& spec) {
  const std::int64_t s = spec.stride;
  Structure structure;
  structure.relu()
      .conv({.in = spec.in, .out = spec.out, .kernel = {1, 7}, .stride = {1, s}, .padding = {0, 3}})
      .conv({.in = spec.out, .out = spec.out, .kernel = {7, 1}, .stride = {s, 1}, .padding = {3, 0}})
      .batch_norm(spec.out, spec.affine);
  return structure;
}

}  // namespace

MIXOP_PLUGIN(
    "mixop.ops.darts", "0.1.0", "The candidate operations of DARTS (Liu et al., ICLR 2019).",
    mixop::structure_operator<none>("none", "Zero: no edge."),
    mixop::structure_operator<max_pool>("max_pool_3x3", "3x3 max pooling."),
    mixop::structure_operator<avg_pool>("avg_pool_3x3", "3x3 average pooling, without the padding."),
    mixop::structure_operator<skip>("skip_connect", "The identity; at stride 2 a factorized reduction."),
    mixop::structure_operator<[](const OpSpec& s) { return separable(s, 3); }>("sep_conv_3x3",
                                                                               "3x3 separable convolution, twice."),
    mixop::structure_operator<[](const OpSpec& s) { return separable(s, 5); }>("sep_conv_5x5",
                                                                               "5x5 separable convolution, twice."),
    mixop::structure_operator<[](const OpSpec& s) { return separable(s, 7); }>("sep_conv_7x7",
                                                                               "7x7 separable convolution, twice."),
    mixop::structure_operator<[](const OpSpec& s) { return dilated(s, 3); }>(
        "dil_conv_3x3", "3x3 separable convolution of dilation 2."),
    mixop::structure_operator<[](const OpSpec& s) { return dilated(s, 5); }>(
        "dil_conv_5x5", "5x5 separable convolution of dilation 2."),
    mixop::structure_operator<conv_7x1_1x7>("conv_7x1_1x7", "A 1x7 and a 7x1 convolution."));
