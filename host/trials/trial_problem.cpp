#include "host/trials/trial_problem.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "mixop/draws.hpp"

namespace mixop {
namespace {

bool includes(Wrt leaves, Wrt one) { return leaves == one || leaves == Wrt::both; }

void record(const std::vector<at::Tensor>& leaves, bool on) {
  for (const at::Tensor& leaf : leaves) leaf.set_requires_grad(on);
}

}  // namespace

TrialProblem::TrialProblem(const std::vector<AlphaSet>& sets) {
  at::manual_seed(11);
  weights_ = {at::randn({2, 3}, at::kDouble), at::randn({4}, at::kDouble)};
  for (const at::Tensor& weight : weights_) momenta_.push_back(at::zeros_like(weight));
  for (const AlphaSet& set : sets) {
    alphas_.push_back(at::randn(set.shape(), at::kDouble) / 10);
    train_.push_back(at::randn(set.shape(), at::kDouble));
    valid_.push_back(at::randn(set.shape(), at::kDouble));
  }
}

std::vector<Relaxed> TrialProblem::edge_weights(Wrt leaves) {
  const at::AutoGradMode grad(includes(leaves, Wrt::alphas));
  record(alphas_, includes(leaves, Wrt::alphas));
  std::vector<Relaxed> relaxed;
  for (const at::Tensor& alphas : alphas_) relaxed.push_back({at::softmax(alphas, -1)});
  return relaxed;
}

at::Tensor TrialProblem::loss(const std::vector<Relaxed>& edge_weights, const LossPass& pass) {
  const at::AutoGradMode grad(pass.leaves != Wrt::nothing);
  record(weights_, includes(pass.leaves, Wrt::weights));
  record(alphas_, includes(pass.leaves, Wrt::alphas));
  if (pass.half == Half::train && pass.update_statistics) ++weight_losses_;
  at::Tensor mean = at::zeros({}, at::kDouble);
  for (std::size_t i = 0; i < alphas_.size(); ++i)
    mean = mean + (edge_weights[i].weights * (pass.half == Half::train ? train_ : valid_)[i]).mean();
  at::Tensor loss = at::zeros({}, at::kDouble);
  for (const at::Tensor& weight : weights_)
    loss = loss + (weight - mean * at::linspace(1, 2, weight.numel(), at::kDouble).view(weight.sizes())).square().sum() / 2;
  return loss;
}

at::Tensor TrialProblem::uniform(const at::Tensor& like, std::uint64_t draw) {
  return uniform_numbers(like.sizes(), draw + 1, like);
}

WeightStep TrialProblem::weight_step() const {
  WeightStep step{0.1, 0.9, 3e-4, 5, {}};
  step.momenta = momenta_;
  return step;
}

}  // namespace mixop
