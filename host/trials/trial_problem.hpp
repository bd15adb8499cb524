#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "mixop/strategy.hpp"

namespace mixop {

/// A small smooth bilevel problem in double precision that trials hand to parts of strategies: weights w in two tensors,
/// and L = |w - T c(r)|^2 / 2 with c a mean of the relaxed alphas r that differs between the halves. Edge weights are the
/// softmax of the alphas.
class TrialProblem final : public BilevelProblem {
 public:
  explicit TrialProblem(const std::vector<AlphaSet>& sets);

  const std::vector<at::Tensor>& weights() const override { return weights_; }
  const std::vector<at::Tensor>& alphas() const override { return alphas_; }
  const std::vector<std::size_t>& tied_weights() const override { return tied_; }
  std::vector<Relaxed> edge_weights(Wrt leaves) override;
  at::Tensor loss(const std::vector<Relaxed>& edge_weights, const LossPass& pass) override;
  at::Tensor alpha_term(const std::vector<Relaxed>&) override { return {}; }
  at::Tensor uniform(const at::Tensor& like, std::uint64_t draw) override;
  WeightStep weight_step() const override;

  /// Losses that were asked for so far whose statistics a step sees: one, where weights take a step.
  int weight_losses() const { return weight_losses_; }

 private:
  std::vector<at::Tensor> weights_, alphas_, momenta_, train_, valid_;
  std::vector<std::size_t> tied_;
  int weight_losses_ = 0;
};

}  // namespace mixop
