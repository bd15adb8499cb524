#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "mixop/strategy.hpp"
#include "tests/support/relaxed.hpp"

namespace mixop::test {

/// A problem in double precision whose losses are quadratic forms of the weights w [6] and alphas a [4], in two tensors
/// each: L_train = w'Hw/2 + w'Ba, L_valid = |w - t|^2/2 + a'Ca/2. So w*(a) = -H^-1 B a, and all second derivatives are
/// constants. Edge weights are the alphas as they are.
class QuadraticProblem : public BilevelProblem {
 public:
  QuadraticProblem() {
    at::manual_seed(2);
    const at::Tensor root = at::randn({6, 6}, at::kDouble), square = at::randn({4, 4}, at::kDouble);
    training = root.matmul(root.t()) / 6 + at::eye(6, at::kDouble) / 2;
    mixed = at::randn({6, 4}, at::kDouble);
    bend = square + square.t();
    target = at::randn({6}, at::kDouble);
    weights_ = {at::randn({2, 2}, at::kDouble), at::randn({2}, at::kDouble)};
    alphas_ = {at::randn({1, 3}, at::kDouble), at::randn({1, 1}, at::kDouble)};
    for (const std::vector<at::Tensor>* leaves : {&weights_, &alphas_})
      for (const at::Tensor& leaf : *leaves) leaf.set_requires_grad(true);
  }
  const std::vector<at::Tensor>& weights() const override { return weights_; }
  const std::vector<at::Tensor>& alphas() const override { return alphas_; }
  const std::vector<std::size_t>& tied_weights() const override { return tied_; }
  std::vector<Relaxed> edge_weights(Wrt) override { return as_relaxed(alphas_); }
  at::Tensor loss(const std::vector<Relaxed>& edges, const LossPass& pass) override {
    passes.push_back(pass);
    const at::Tensor w = all(weights_), a = all({edges[0].weights, edges[1].weights});
    if (pass.half == Half::train) return w.dot(training.matmul(w)) / 2 + w.dot(mixed.matmul(a));
    return (w - target).square().sum() / 2 + a.dot(bend.matmul(a)) / 2;
  }
  at::Tensor alpha_term(const std::vector<Relaxed>&) override { return {}; }
  at::Tensor uniform(const at::Tensor& like, std::uint64_t draw) override {
    return at::linspace(0.1, 0.9, like.numel(), like.options()).view(like.sizes()) * (draw % 2 == 0 ? 1 : 0.5);
  }
  WeightStep weight_step() const override { return {.rate = 0.1}; }

  static at::Tensor all(const std::vector<at::Tensor>& tensors) {
    std::vector<at::Tensor> parts;
    for (const at::Tensor& tensor : tensors) parts.push_back(tensor.flatten());
    return at::cat(parts);
  }

  at::Tensor training, mixed, bend, target;
  std::vector<LossPass> passes;

 private:
  std::vector<at::Tensor> weights_, alphas_;
  std::vector<std::size_t> tied_;
};

}  // namespace mixop::test
