#pragma once

#include <vector>

#include "mixop/options.hpp"
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace mixop::strategies {

/// The hypergradient of iDARTS (Zhang et al., ICML 2021, section 3) by the implicit function theorem, at the current
/// weights w, with the inverse of the training loss' Hessian H as the first terms of Neumann's series:
///   dL_valid/da - gamma * d^2 L_train/da dw * sum_{k = 0..terms} (I - gamma H)^k * dL_valid/dw.
/// Products with second derivatives are central differences of gradients, two passes each. The published program takes
/// the diagonal of H alone; the sum here is the paper's.
class Neumann final : public Hypergradient {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_INTEGER, "terms", "2",
             "Terms of the series behind the first, from 0 on; each takes two training passes."),
      option(MIXOP_OPTION_REAL, "gamma", "0",
             "Step of the series, below 2 over the largest eigenvalue of H; 0: the rate of the weights' step, as the "
             "published program."),
      option(MIXOP_OPTION_REAL, "epsilon", "0.01",
             "Length of the step of the finite differences in the space of the weights, above 0."),
  };

  explicit Neumann(const Options& options);

  /// Running statistics see the validation pass alone.
  std::vector<at::Tensor> alpha_gradients(BilevelProblem& problem) override;

 private:
  std::int64_t terms_;
  double gamma_, epsilon_;
};

}  // namespace mixop::strategies
