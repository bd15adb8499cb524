#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include <algorithm>

#include "mixop/module_operator.hpp"

// The channels of [N, C, H, W] moved by one pixel, channel c to the side that c modulo 5 says (0: nowhere); zeros move
// in. `way` is 1, or -1 for the way back.
inline at::Tensor shifted(const at::Tensor& x, std::int64_t way) {
  constexpr std::int64_t kMoves[5][2] = {{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}};
  at::Tensor y = at::zeros_like(x);
  for (std::int64_t k = 0; k < std::min<std::int64_t>(5, x.size(1)); ++k) {
    at::Tensor from = x.slice(1, k, c10::nullopt, 5), to = y.slice(1, k, c10::nullopt, 5);
    for (std::int64_t axis = 0; axis < 2; ++axis) {
      const std::int64_t by = way * kMoves[k][axis], kept = x.size(2 + axis) - std::abs(by);
      from = from.narrow(2 + axis, std::max<std::int64_t>(-by, 0), kept);
      to = to.narrow(2 + axis, std::max<std::int64_t>(by, 0), kept);
    }
    to.copy_(from);
  }
  return y;
}

// With a backward pass of its own: the gradient moves the other way, and nothing is kept for it.
struct MovedChannels : torch::autograd::Function<MovedChannels> {
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& x) { return shifted(x, 1); }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list gradient) {
    return {shifted(gradient[0], -1)};
  }
};

// ReLU, shift, 1x1 convolution, batch norm, after Wu et al. (Shift, CVPR 2018), with five moves in place of nine:
// [N, in, H, W] to [N, out, ceil(H / stride), ceil(W / stride)].
struct Shift : torch::nn::Module {
  explicit Shift(const mixop::OpSpec& spec)
      : conv(torch::nn::Conv2dOptions(spec.in, spec.out, 1).stride(spec.stride).bias(false)),
        norm(torch::nn::BatchNorm2dOptions(spec.out).affine(spec.affine)) {
    register_module("conv", conv);
    register_module("norm", norm);
  }
  at::Tensor forward(const at::Tensor& x) { return norm(conv(MovedChannels::apply(at::relu(x)))); }

  // What mixop summary counts, for code of its own has no structure.
  static mixop::OperatorCost cost(const mixop::OpSpec& spec, const mixop::ImageShape& in) {
    const mixop::ImageShape out = mixop::strided({spec.out, in.height, in.width}, spec.stride);
    const std::int64_t pixels = out.height * out.width;
    return {.parameters = spec.in * spec.out + (spec.affine ? 2 * spec.out : 0),
            .multiply_adds = spec.in * spec.out * pixels,
            .activations = 2 * mixop::numbers_of(in) + 2 * mixop::numbers_of(out)};
  }

  torch::nn::Conv2d conv;
  torch::nn::BatchNorm2d norm;
};
