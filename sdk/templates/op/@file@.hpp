#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include "mixop/module_operator.hpp"

// ReLU, 3x3 convolution, batch norm: [N, in, H, W] to [N, out, ceil(H / stride), ceil(W / stride)].
struct @class@ : torch::nn::Module {
  explicit @class@(const mixop::OpSpec& spec)
      : conv(torch::nn::Conv2dOptions(spec.in, spec.out, 3).stride(spec.stride).padding(1).bias(false)),
        norm(torch::nn::BatchNorm2dOptions(spec.out).affine(spec.affine)) {
    register_module("conv", conv);
    register_module("norm", norm);
  }
  at::Tensor forward(const at::Tensor& x) { return norm(conv(at::relu(x))); }

  torch::nn::Conv2d conv;
  torch::nn::BatchNorm2d norm;
};
