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

}  // namespace mixop
