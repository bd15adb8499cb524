#include "host/train/weight_average.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>

namespace mixop {
namespace {

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& tensor : tensors) result.push_back(tensor.detach().clone());
  return result;
}

}  // namespace

WeightAverage::WeightAverage(std::vector<at::Tensor> weights, std::int64_t steps)
    : weights_(std::move(weights)), means_(copies(weights_)), steps_(steps) {}

void WeightAverage::add() {
  const at::NoGradGuard no_grad;
  ++steps_;
  const double share = 1.0 / static_cast<double>(std::max<std::int64_t>(1, steps_ - 1));
  at::_foreach_lerp_(means_, weights_, share);
}

Exchanged::Exchanged(std::vector<at::Tensor> a, std::vector<at::Tensor> b) : a_(std::move(a)), b_(std::move(b)) {
  exchange();
}

Exchanged::~Exchanged() { exchange(); }

void Exchanged::exchange() {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < a_.size(); ++i) {
    const at::Tensor first = a_[i].detach().clone();
    a_[i].copy_(b_[i]);
    b_[i].copy_(first);
  }
}

}  // namespace mixop
