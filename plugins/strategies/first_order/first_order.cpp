// First-order DARTS (Liu et al., ICLR 2019, section 2.3 with xi = 0): the alphas follow the gradient of the validation
// loss at the current weights.
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace {

class FirstOrder final : public mixop::Hypergradient {
 public:
  explicit FirstOrder(const mixop::Options&) {}

  /// The published code runs this pass in training mode, so running statistics see the validation batch.
  std::vector<at::Tensor> alpha_gradients(mixop::BilevelProblem& problem) override {
    return problem.gradients(problem.valid_loss(mixop::Wrt::alphas, /*update_statistics=*/true), problem.alphas());
  }
};

constexpr MixopStrategyPart kParts[] = {
    mixop::strategy_slot("relaxation", "softmax"),
    mixop::strategy_slot("hypergradient", "first_order"),
    mixop::strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kFirstOrder = mixop::strategy_table(
    kParts, "First-order DARTS (Liu et al., ICLR 2019): softmax, gradient at the current weights.");

}  // namespace

MIXOP_PLUGIN("mixop.strategies.first_order", "0.1.0", "First-order DARTS.",
             mixop::strategy_part<FirstOrder>("first_order",
                                              "The gradient at the weights as they are (first-order DARTS)."),
             mixop::strategy("first_order", kFirstOrder));
