// Second-order DARTS (Liu et al., ICLR 2019, section 2.3): the alphas follow the gradient of the validation loss at the
// weights after one virtual step, equations 7 and 8.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <iterator>
#include <utility>

#include "mixop/gradients.hpp"
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace {

using mixop::BilevelProblem;
using mixop::WeightStep;
using mixop::Wrt;
using Tensors = std::vector<at::Tensor>;

/// Gives the weights their values back, bit by bit, on destruction.
class Restorer {
 public:
  explicit Restorer(const Tensors& weights) : weights_(weights) {
    for (const at::Tensor& weight : weights) saved_.push_back(weight.detach().clone());
  }
  Restorer(const Restorer&) = delete;
  Restorer& operator=(const Restorer&) = delete;
  ~Restorer() { restore(); }

  void restore() const {
    const at::NoGradGuard no_grad;
    at::_foreach_copy_(weights_, saved_);
  }
  void restore(std::size_t i) const {
    const at::NoGradGuard no_grad;
    at::Tensor weight = weights_[i];
    weight.copy_(saved_[i]);
  }

 private:
  const Tensors& weights_;
  Tensors saved_;
};

class SecondOrder final : public mixop::Hypergradient {
 public:
  static constexpr MixopOptionSpec options[] = {
      mixop::option(MIXOP_OPTION_REAL, "epsilon", "0.01",
                    "Length of the step of the finite difference in the space of the weights, above 0."),
      mixop::option(MIXOP_OPTION_BOOL, "momentum", "true", "The virtual step goes along the momentum, too."),
      mixop::option(MIXOP_OPTION_BOOL, "clip", "false",
                    "Clips the virtual step's gradient and the validation gradient at weights.clip, as the published "
                    "recurrent search."),
      mixop::option(MIXOP_OPTION_BOOL, "uncapped", "false",
                    "With clip: the implicit gradient is scaled by the clip coefficient even above 1."),
      mixop::option(MIXOP_OPTION_BOOL, "stale_tied", "false",
                    "The virtual step leaves tied weights where they are, as the published recurrent search."),
  };

  explicit SecondOrder(const mixop::Options& options)
      : epsilon_(options.real("epsilon")),
        momentum_(options.flag("momentum")),
        clip_(options.flag("clip")),
        uncapped_(options.flag("uncapped")),
        stale_tied_(options.flag("stale_tied")) {
    if (!(epsilon_ > 0))
      throw mixop::Error(mixop::ErrorCode::usage,
                         "second_order.epsilon: expected a number above 0, found " + options.text("epsilon"));
  }

  /// Running statistics see the three passes on the training batch, and not the one at the virtual weights.
  Tensors alpha_gradients(BilevelProblem& problem) override {
    const Tensors& weights = problem.weights();
    const WeightStep step = problem.weight_step();
    const Restorer saved(weights);

    const at::Tensor coefficient = take_virtual_step(problem, step, saved);
    Tensors direct = problem.gradients(problem.valid_loss(Wrt::both, /*update_statistics=*/false),
                                       joined(problem.alphas(), weights));
    Tensors direction(std::make_move_iterator(direct.begin() + static_cast<std::ptrdiff_t>(problem.alphas().size())),
                      std::make_move_iterator(direct.end()));
    direct.resize(problem.alphas().size());
    saved.restore();
    if (clip_) problem.clip(direction, step.clip);

    // A gradient of 0 has no direction: then both passes are at w, and the implicit gradient is 0.
    const at::Tensor length = problem.norm(direction);
    const at::Tensor some = length.ne(0).to(at::kDouble), divisor = length + (1 - some);
    const at::Tensor radius = some * epsilon_ / divisor;
    mixop::scale(direction, radius);
    Tensors implicit = train_gradients_at(problem, direction, 1);
    saved.restore();
    at::_foreach_sub_(implicit, train_gradients_at(problem, direction, -1));
    mixop::scale(implicit, some * (-step.rate * coefficient) / (2 * radius + (1 - some)));
    at::_foreach_add_(direct, implicit);
    return direct;
  }

 private:
  /// Moves the weights to w' = w - rate * (gradient + decay * w + momentum * momenta). Returns what the implicit
  /// gradient is scaled by: the clip coefficient, seen as a constant.
  at::Tensor take_virtual_step(BilevelProblem& problem, const WeightStep& step, const Restorer& saved) const {
    const Tensors& weights = problem.weights();
    Tensors gradient = problem.gradients(problem.train_loss(Wrt::weights, /*update_statistics=*/true), weights);
    const at::Tensor coefficient = problem.clip(gradient, clip_ ? step.clip : 0);
    const at::NoGradGuard no_grad;
    if (step.decay != 0) at::_foreach_add_(gradient, weights, step.decay);
    if (momentum_ && step.momentum != 0) at::_foreach_add_(gradient, step.momenta, step.momentum);
    at::_foreach_add_(weights, gradient, -step.rate);
    if (stale_tied_)
      for (const std::size_t tied : problem.tied_weights()) saved.restore(tied);
    return uncapped_ ? coefficient : coefficient.clamp_max(1);
  }

  /// The training loss' gradient of the alphas at w + sign * offset, where the weights are left.
  static Tensors train_gradients_at(BilevelProblem& problem, const Tensors& offset, int sign) {
    {
      const at::NoGradGuard no_grad;
      at::_foreach_add_(problem.weights(), offset, sign);
    }
    return problem.gradients(problem.train_loss(Wrt::alphas, /*update_statistics=*/true), problem.alphas());
  }

  static Tensors joined(Tensors first, const Tensors& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  }

  double epsilon_;
  bool momentum_, clip_, uncapped_, stale_tied_;
};

constexpr MixopStrategyPart kParts[] = {
    mixop::strategy_slot("relaxation", "softmax"),
    mixop::strategy_slot("hypergradient", "second_order"),
    mixop::strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kSecondOrder = mixop::strategy_table(
    kParts, "Second-order DARTS (Liu et al., ICLR 2019): softmax, gradient at the weights after one virtual step.");

}  // namespace

MIXOP_PLUGIN("mixop.strategies.second_order", "0.1.0", "Second-order DARTS.",
             mixop::strategy_part<SecondOrder>(
                 "second_order", "The gradient through one unrolled step of the weights (DARTS, equation 7)."),
             mixop::strategy("second_order", kSecondOrder));
