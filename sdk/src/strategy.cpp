#include "mixop/strategy.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

namespace mixop {

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
