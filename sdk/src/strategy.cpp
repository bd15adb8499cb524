#include "mixop/strategy.hpp"

#include <ATen/ATen.h>

#include "mixop/gradients.hpp"

namespace mixop {

std::vector<at::Tensor> BilevelProblem::gradients(const at::Tensor& loss, const std::vector<at::Tensor>& leaves) {
  return mixop::gradients(loss, leaves);
}

at::Tensor BilevelProblem::norm(const std::vector<at::Tensor>& tensors) { return norm_of(tensors); }

at::Tensor BilevelProblem::clip(const std::vector<at::Tensor>& tensors, double limit) {
  return mixop::clip(tensors, limit);
}

at::Tensor BilevelProblem::train_loss(Wrt leaves, bool update_statistics) {
  return loss(edge_weights(leaves), {Half::train, leaves, update_statistics});
}

at::Tensor BilevelProblem::valid_loss(Wrt leaves, bool update_statistics) {
  const std::vector<Relaxed> relaxed = edge_weights(leaves);
  const at::Tensor own = loss(relaxed, {Half::valid, leaves, update_statistics, /*penalties=*/false, /*carry=*/true});
  const at::Tensor term = alpha_term(relaxed);
  return term.defined() ? own + term : own;
}

at::Tensor BilevelProblem::weight_loss(Wrt leaves) {
  return loss(smoothed(edge_weights(leaves)),
              {Half::train, leaves, /*update_statistics=*/true, /*penalties=*/true, /*carry=*/true});
}

std::vector<at::Tensor> Hypergradient::weight_gradients(BilevelProblem& problem) {
  return problem.gradients(problem.weight_loss(), problem.weights());
}

}  // namespace mixop
