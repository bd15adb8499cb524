#include "host/search/optimizers.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <numbers>
#include <utility>

namespace mixop {
namespace {

constexpr double kAdamEpsilon = 1e-8;

std::vector<at::Tensor> zeros_like_all(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> zeros;
  for (const at::Tensor& tensor : tensors) zeros.push_back(at::zeros_like(tensor.detach()));
  return zeros;
}

/// The gradients in their weights' memory layout, which the fused kernels take for granted.
std::vector<at::Tensor> laid_out_like(const std::vector<at::Tensor>& weights,
                                      const std::vector<at::Tensor>& gradients) {
  std::vector<at::Tensor> result = gradients;
  for (std::size_t i = 0; i < result.size(); ++i)
    if (result[i].strides() != weights[i].strides()) result[i] = at::empty_like(weights[i]).copy_(result[i]);
  return result;
}

}  // namespace

Sgd::Sgd(std::vector<at::Tensor> weights, double momentum, double decay)
    : weights_(std::move(weights)), momenta_(zeros_like_all(weights_)), momentum_(momentum), decay_(decay) {}

void Sgd::step(const std::vector<at::Tensor>& gradients, double rate) {
  const at::NoGradGuard no_grad;
  const at::TensorList momenta = momentum_ == 0 ? at::TensorList() : at::TensorList(momenta_);
  at::_fused_sgd_(weights_, laid_out_like(weights_, gradients), momenta, decay_, momentum_, rate, /*dampening=*/0.0,
                  /*nesterov=*/false,
                  /*maximize=*/false, /*is_first_step=*/false);
}

Adam::Adam(std::vector<at::Tensor> weights, std::array<double, 2> betas, double decay)
    : weights_(std::move(weights)),
      first_(zeros_like_all(weights_)),
      second_(zeros_like_all(weights_)),
      betas_(betas),
      decay_(decay) {
  for (const at::Tensor& weight : weights_)
    steps_.push_back(at::zeros({}, weight.options().dtype(at::kFloat).requires_grad(false)));
}

void Adam::step(const std::vector<at::Tensor>& gradients, double rate) {
  const at::NoGradGuard no_grad;
  for (at::Tensor& step : steps_) step.add_(1);
  at::_fused_adam_(weights_, laid_out_like(weights_, gradients), first_, second_, {}, steps_, rate, betas_[0],
                   betas_[1], decay_, kAdamEpsilon,
                   /*amsgrad=*/false, /*maximize=*/false);
}

double cosine_rate(double rate, double least, std::int64_t epoch, std::int64_t epochs) {
  const double progress = static_cast<double>(epoch) / static_cast<double>(epochs);
  return least + (rate - least) * (1 + std::cos(std::numbers::pi * progress)) / 2;
}

}  // namespace mixop
