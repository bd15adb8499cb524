#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <vector>

#include "mixop/gradients.hpp"
#include "mixop/strategy.hpp"

namespace mixop::strategies {

/// d/dt gradient(at + t * direction) at t = 0, by the central difference of two points whose distance from `at` has the
/// norm `length`: the product of a matrix of second derivatives and the direction, of networks that can be
/// differentiated once. Zeros for a direction of zeros. `at` are live tensors, which are given their values back, bit
/// by bit.
template <class Gradient>
std::vector<at::Tensor> central_difference(BilevelProblem& problem, const std::vector<at::Tensor>& at,
                                           const std::vector<at::Tensor>& direction, double length, Gradient gradient) {
  struct Restorer {
    explicit Restorer(const std::vector<at::Tensor>& live) : tensors(live) {
      for (const at::Tensor& tensor : live) values.push_back(tensor.detach().clone());
    }
    Restorer(const Restorer&) = delete;
    Restorer& operator=(const Restorer&) = delete;
    ~Restorer() {
      const at::NoGradGuard no_grad;
      at::_foreach_copy_(tensors, values);
    }
    const std::vector<at::Tensor>& tensors;
    std::vector<at::Tensor> values;
  };
  const at::Tensor norm = problem.norm(direction), some = norm.ne(0).to(at::kDouble);
  const at::Tensor radius = some * length / (norm + (1 - some));
  const auto gradient_at = [&](int sign) {
    const Restorer restorer(at);
    {
      const at::NoGradGuard no_grad;
      const at::Tensor step = sign * radius;
      for (std::size_t i = 0; i < at.size(); ++i) at::Tensor(at[i]).add_(direction[i] * step.to(at[i].scalar_type()));
    }
    return gradient();
  };
  std::vector<at::Tensor> difference = gradient_at(1);
  at::_foreach_sub_(difference, gradient_at(-1));
  scale(difference, some / (2 * radius + (1 - some)));
  return difference;
}

}  // namespace mixop::strategies
