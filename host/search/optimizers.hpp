#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

namespace mixop {

/// SGD with momentum and coupled weight decay, as torch.optim.SGD: m = momentum * m + g + decay * w; w -= rate * m.
class Sgd {
 public:
  Sgd(std::vector<at::Tensor> weights, double momentum, double decay);
  void step(const std::vector<at::Tensor>& gradients, double rate);
  /// One for each weight; zeros before the first step, which is what PyTorch's empty state amounts to.
  const std::vector<at::Tensor>& momenta() const { return momenta_; }
  double momentum() const { return momentum_; }
  double decay() const { return decay_; }

 private:
  std::vector<at::Tensor> weights_, momenta_;
  double momentum_, decay_;
};

/// Adam with bias correction and coupled weight decay (Kingma & Ba 2015), as torch.optim.Adam; epsilon is 1e-8.
class Adam {
 public:
  Adam(std::vector<at::Tensor> weights, std::array<double, 2> betas, double decay);
  void step(const std::vector<at::Tensor>& gradients, double rate);
  /// State, one of each for each weight: the moments, and the steps taken as float32 scalars.
  const std::vector<at::Tensor>& first_moments() const { return first_; }
  const std::vector<at::Tensor>& second_moments() const { return second_; }
  const std::vector<at::Tensor>& steps() const { return steps_; }

 private:
  std::vector<at::Tensor> weights_, first_, second_, steps_;
  std::array<double, 2> betas_;
  double decay_;
};

/// The cosine schedule of Loshchilov & Hutter 2017 without restarts: `rate` in epoch 0, towards `least` after `epochs`.
double cosine_rate(double rate, double least, std::int64_t epoch, std::int64_t epochs);

}  // namespace mixop
