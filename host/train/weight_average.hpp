#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace mixop {

/// The mean of the weights over the steps of averaged SGD (Polyak & Juditsky 1992), taken as torch.optim.ASGD with
/// t0 = 0 and lambd = 0 takes it: after k >= 2 steps that of the weights behind steps 2 to k; after one step those
/// behind it.
class WeightAverage {
 public:
  /// Of the live tensors, whose values are the mean of `steps` steps so far.
  explicit WeightAverage(std::vector<at::Tensor> weights, std::int64_t steps = 0);

  /// Takes the weights in as they are after a step.
  void add();
  std::int64_t steps() const { return steps_; }
  /// One for each weight.
  const std::vector<at::Tensor>& means() const { return means_; }

 private:
  std::vector<at::Tensor> weights_, means_;
  std::int64_t steps_ = 0;
};

/// Exchanges the values of two lists of tensors as long as it lives.
class Exchanged {
 public:
  Exchanged(std::vector<at::Tensor> a, std::vector<at::Tensor> b);
  ~Exchanged();
  Exchanged(const Exchanged&) = delete;
  Exchanged& operator=(const Exchanged&) = delete;

 private:
  void exchange();
  std::vector<at::Tensor> a_, b_;
};

}  // namespace mixop
