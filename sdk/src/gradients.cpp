#include "mixop/gradients.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace mixop {

std::vector<at::Tensor> gradients(const at::Tensor& loss, const std::vector<at::Tensor>& leaves) {
  std::vector<at::Tensor> result = torch::autograd::grad({loss}, leaves, {}, /*retain_graph=*/std::nullopt,
                                                         /*create_graph=*/false, /*allow_unused=*/true);
  for (std::size_t i = 0; i < result.size(); ++i)
    if (!result[i].defined()) result[i] = at::zeros_like(leaves[i]);
  return result;
}

at::Tensor norm_of(const std::vector<at::Tensor>& tensors) {
  if (tensors.empty()) return at::zeros({}, at::kDouble);
  const at::NoGradGuard no_grad;
  return at::stack(at::_foreach_norm(tensors)).norm().to(at::kDouble);
}

void scale(const std::vector<at::Tensor>& tensors, const at::Tensor& factor) {
  if (tensors.empty()) return;
  const at::NoGradGuard no_grad;
  at::_foreach_mul_(tensors, factor.to(tensors.front().scalar_type()));
}

at::Tensor clip(const std::vector<at::Tensor>& tensors, double limit) {
  if (tensors.empty()) return at::ones({}, at::kDouble);
  if (limit == 0) return at::ones({}, tensors.front().options().dtype(at::kDouble).requires_grad(false));
  const at::Tensor coefficient = limit / (norm_of(tensors) + 1e-6);
  scale(tensors, coefficient.clamp_max(1));
  return coefficient;
}

}  // namespace mixop
