// The candidate operations of DARTS (Liu, Simonyan, Yang: "DARTS: Differentiable Architecture Search", ICLR 2019,
// section 3.1), with the parameter names and order of its published code.
#include "mixop/chain.hpp"
#include "mixop/plugin.hpp"

namespace {

using mixop::Chain;
using mixop::ConvSpec;
using mixop::OpSpec;

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

ConvSpec pointwise(std::int64_t channels) { return {.in = channels, .out = channels}; }

/// ReLU, depthwise, pointwise, norm; twice, the stride in the first depthwise convolution.
Chain separable(const OpSpec& spec, std::int64_t kernel) {
  const std::int64_t c = spec.channels;
  Chain chain("op.");
  for (const std::int64_t stride : {spec.stride, std::int64_t{1}})
    chain.relu().conv(depthwise(c, kernel, stride, 1)).conv(pointwise(c)).batch_norm(c, spec.affine);
  return chain;
}

Chain dilated(const OpSpec& spec, std::int64_t kernel) {
  const std::int64_t c = spec.channels;
  Chain chain("op.");
  chain.relu().conv(depthwise(c, kernel, spec.stride, 2)).conv(pointwise(c)).batch_norm(c, spec.affine);
  return chain;
}

Chain none(const OpSpec& spec) { return std::move(Chain().zero(spec.stride)); }

Chain max_pool(const OpSpec& spec) { return std::move(Chain().max_pool(3, spec.stride, 1)); }

Chain avg_pool(const OpSpec& spec) { return std::move(Chain().avg_pool(3, spec.stride, 1)); }

Chain skip(const OpSpec& spec) {
  if (spec.stride == 1) return std::move(Chain().identity());
  return mixop::relu_reduce_norm("", spec.channels, spec.channels, spec.affine);
}

/// A 1x7 and a 7x1 convolution; each strides along its own axis.
Chain conv_7x1_1x7(const OpSpec& spec) {
  const std::int64_t c = spec.channels, s = spec.stride;
  Chain chain;
  chain.relu()
      .conv({.in = c, .out = c, .kernel = {1, 7}, .stride = {1, s}, .padding = {0, 3}})
      .conv({.in = c, .out = c, .kernel = {7, 1}, .stride = {s, 1}, .padding = {3, 0}})
      .batch_norm(c, spec.affine);
  return chain;
}

}  // namespace

MIXOP_PLUGIN("mixop.ops.darts", "0.1.0", "The candidate operations of DARTS (Liu et al., ICLR 2019).",
             mixop::chain_operator<none>("none"), mixop::chain_operator<max_pool>("max_pool_3x3"),
             mixop::chain_operator<avg_pool>("avg_pool_3x3"), mixop::chain_operator<skip>("skip_connect"),
             mixop::chain_operator<[](const OpSpec& s) { return separable(s, 3); }>("sep_conv_3x3"),
             mixop::chain_operator<[](const OpSpec& s) { return separable(s, 5); }>("sep_conv_5x5"),
             mixop::chain_operator<[](const OpSpec& s) { return separable(s, 7); }>("sep_conv_7x7"),
             mixop::chain_operator<[](const OpSpec& s) { return dilated(s, 3); }>("dil_conv_3x3"),
             mixop::chain_operator<[](const OpSpec& s) { return dilated(s, 5); }>("dil_conv_5x5"),
             mixop::chain_operator<conv_7x1_1x7>("conv_7x1_1x7"));
