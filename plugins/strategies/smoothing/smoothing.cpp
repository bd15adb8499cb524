// SmoothDARTS (Chen and Hsieh, ICML 2020): the weights are trained at perturbed edge weights, so that the loss is flat
// around the alphas. Perturbations are in the ball |p|_inf <= epsilon around the relaxed alphas.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <utility>

#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace mixop::strategies {
namespace {

using Tensors = std::vector<at::Tensor>;

constexpr std::uint64_t kPerturbation = 1 << 20;  // draws beside those of hypergradients, which count from 0

/// The ball's radius grows in a line from the search's start to its end, as in the published program.
class Radius {
 public:
  Radius(const Options& options, const std::string& part) : start_(options.real("start")), end_(options.real("end")) {
    for (const char* name : {"start", "end"})
      if (const double value = options.real(name); !(value >= 0) || std::isinf(value))
        throw Error(ErrorCode::usage, part + "." + name + ": expected a number from 0 on, found " + options.text(name));
  }
  double at(const SearchPosition& position) const {
    return start_ + (end_ - start_) * static_cast<double>(position.epoch) / static_cast<double>(position.epochs);
  }

 private:
  double start_, end_;
};

constexpr MixopOptionSpec kRadiusOptions[] = {
    option(MIXOP_OPTION_REAL, "start", "0.03", "Largest change of an edge weight in the first epoch, from 0 on; ..."),
    option(MIXOP_OPTION_REAL, "end", "0.3", "... behind the last one. Between them it goes in a line."),
};

Tensors weights_of(const std::vector<Relaxed>& edge_weights) {
  Tensors weights;
  for (const Relaxed& set : edge_weights) weights.push_back(set.weights.detach());
  return weights;
}

/// Makes the perturbed weights of each edge valid again, as the published program: none below 0 or above the edge's
/// sum, which is 1 of a softmax, all over their sum; the largest one alone where none is above 0.
at::Tensor valid(const at::Tensor& perturbed, const at::Tensor& around) {
  const at::Tensor sum = around.sum(-1, /*keepdim=*/true);
  const at::Tensor largest = at::zeros_like(perturbed).scatter_(-1, perturbed.argmax(-1, /*keepdim=*/true), 1);
  const at::Tensor clipped = at::minimum(perturbed.clamp_min(0), sum), total = clipped.sum(-1, /*keepdim=*/true);
  const at::Tensor some = total.gt(0).to(total.scalar_type());
  return (clipped * some + largest * (1 - some)) / (total * some + (1 - some)) * sum;
}

/// Uniform perturbations, of which none is more than the radius.
Tensors drawn(BilevelProblem& problem, const Tensors& around, double radius) {
  Tensors perturbed;
  for (std::size_t set = 0; set < around.size(); ++set) {
    const at::Tensor uniform = problem.uniform(around[set], kPerturbation + set);
    perturbed.push_back(valid(around[set] + radius * (2 * uniform - 1), around[set]));
  }
  return perturbed;
}

/// The edge weights with `to` as their values and no other graph than theirs.
std::vector<Relaxed> moved(std::vector<Relaxed> edge_weights, const Tensors& to) {
  for (std::size_t set = 0; set < to.size(); ++set) {
    at::Tensor& weights = edge_weights[set].weights;
    weights = weights + (to[set] - weights.detach());
  }
  return edge_weights;
}

/// SDARTS-RS: any perturbation of the ball is as likely as any other.
class Random final : public Smoothing {
 public:
  static constexpr auto& options = kRadiusOptions;
  explicit Random(const Options& options) : radius_(options, "random") {}

  std::vector<Relaxed> smoothed(BilevelProblem& problem, const std::vector<Relaxed>& edge_weights,
                                const SearchPosition& at) override {
    return moved(edge_weights, drawn(problem, weights_of(edge_weights), radius_.at(at)));
  }

 private:
  Radius radius_;
};

/// SDARTS-ADV: the perturbation of the largest training loss that projected gradient ascent finds: from a random point
/// steps of 2 / steps radii along the gradient's sign, each projected onto the ball. Where the loss has not grown there
/// is no perturbation. The published program takes these losses in evaluation mode, here batch norms see the batch.
class Adversarial final : public Smoothing {
 public:
  static constexpr MixopOptionSpec options[] = {
      kRadiusOptions[0],
      kRadiusOptions[1],
      option(MIXOP_OPTION_INTEGER, "steps", "7", "Steps of gradient ascent, from 1 on; each takes a pass."),
  };
  explicit Adversarial(const Options& options) : radius_(options, "adversarial"), steps_(options.integer("steps")) {
    if (steps_ < 1)
      throw Error(ErrorCode::usage, "adversarial.steps: expected a number from 1 on, found " + options.text("steps"));
  }

  std::vector<Relaxed> smoothed(BilevelProblem& problem, const std::vector<Relaxed>& edge_weights,
                                const SearchPosition& position) override {
    const Tensors around = weights_of(edge_weights);
    const double radius = radius_.at(position);
    const auto loss_at = [&](const Tensors& weights, Wrt leaves) {
      std::vector<Relaxed> here = edge_weights;
      for (std::size_t set = 0; set < weights.size(); ++set) here[set].weights = weights[set];
      return problem.loss(here, {Half::train, leaves, /*update_statistics=*/false});
    };
    const at::Tensor before = loss_at(around, Wrt::nothing);
    Tensors to = drawn(problem, around, radius);
    for (std::int64_t step = 0; step < steps_; ++step) {
      for (at::Tensor& weights : to) weights.set_requires_grad(true);
      const Tensors gradients = problem.gradients(loss_at(to, Wrt::alphas), to);
      const at::NoGradGuard no_grad;
      for (std::size_t set = 0; set < to.size(); ++set) {
        const at::Tensor change =
            to[set] + 2 * radius / static_cast<double>(steps_) * gradients[set].sign() - around[set];
        to[set] = valid(around[set] + change.clamp(-radius, radius), around[set]);
      }
    }
    const at::Tensor grown = before.le(loss_at(to, Wrt::nothing)).to(before.scalar_type());
    for (std::size_t set = 0; set < to.size(); ++set)
      to[set] = around[set] + grown.to(around[set].scalar_type()) * (to[set] - around[set]);
    return moved(edge_weights, to);
  }

 private:
  Radius radius_;
  std::int64_t steps_;
};

constexpr MixopStrategyPart kRandomParts[] = {
    strategy_slot("relaxation", "softmax"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("smoothing", "random"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kRandom =
    strategy_table(kRandomParts, "SmoothDARTS (Chen and Hsieh, ICML 2020), SDARTS-RS: random perturbations.");

constexpr MixopStrategyPart kAdversarialParts[] = {
    strategy_slot("relaxation", "softmax"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("smoothing", "adversarial"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kAdversarial = strategy_table(
    kAdversarialParts, "SmoothDARTS (Chen and Hsieh, ICML 2020), SDARTS-ADV: adversarial perturbations.");

}  // namespace
}  // namespace mixop::strategies

MIXOP_PLUGIN("mixop.strategies.smoothing", "0.1.0", "SmoothDARTS: random and adversarial perturbations.",
             mixop::strategy_part<mixop::strategies::Random>(
                 "random", "Perturbs edge weights at random in the steps of the weights (SmoothDARTS RS)."),
             mixop::strategy_part<mixop::strategies::Adversarial>(
                 "adversarial",
                 "Perturbs edge weights against the loss in the steps of the weights (SmoothDARTS ADV)."),
             mixop::strategy("smooth_darts_rs", mixop::strategies::kRandom),
             mixop::strategy("smooth_darts_adv", mixop::strategies::kAdversarial));
