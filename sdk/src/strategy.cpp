#include "mixop/strategy.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

namespace mixop {

at::Tensor BilevelProblem::train_loss(Wrt leaves, bool update_statistics) {
  return loss(edge_weights(leaves), {Half::train, leaves, update_statistics});
}

at::Tensor BilevelProblem::valid_loss(Wrt leaves, bool update_statistics) {
  const std::vector<at::Tensor> relaxed = edge_weights(leaves);
  const at::Tensor own = loss(relaxed, {Half::valid, leaves, update_statistics, /*penalties=*/false, /*carry=*/true});
  const at::Tensor term = alpha_term(relaxed);
  return term.defined() ? own + term : own;
}

at::Tensor BilevelProblem::weight_loss(Wrt leaves) {
  return loss(edge_weights(leaves),
              {Half::train, leaves, /*update_statistics=*/true, /*penalties=*/true, /*carry=*/true});
}

std::vector<at::Tensor> Hypergradient::weight_gradients(BilevelProblem& problem) {
  return gradients(problem.weight_loss(), problem.weights());
}

std::vector<at::Tensor> gradients(const at::Tensor& loss, const std::vector<at::Tensor>& leaves) {
  std::vector<at::Tensor> result = torch::autograd::grad({loss}, leaves, {}, /*retain_graph=*/std::nullopt,
                                                         /*create_graph=*/false, /*allow_unused=*/true);
  for (std::size_t i = 0; i < result.size(); ++i)
    if (!result[i].defined()) result[i] = at::zeros_like(leaves[i]);
  return result;
}

double clip_gradients(std::vector<at::Tensor>& gradients, double limit) {
  if (gradients.empty()) return 0;
  const double norm = at::stack(at::_foreach_norm(gradients)).norm().item<double>();
  const double coefficient = clip_coefficient(norm, limit);
  if (limit > 0 && coefficient < 1) at::_foreach_mul_(gradients, coefficient);
  return norm;
}

double clip_coefficient(double norm, double limit) { return limit / (norm + 1e-6); }

}  // namespace mixop
