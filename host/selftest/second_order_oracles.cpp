#include "host/selftest/second_order_oracles.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "host/selftest/oracles.hpp"
#include "host/selftest/small_search.hpp"
#include "mixop/gradients.hpp"

namespace mixop {
namespace {

using Tensors = std::vector<at::Tensor>;

std::vector<Relaxed> as_they_are(const Tensors& alphas) {
  std::vector<Relaxed> sets;
  for (const at::Tensor& alpha : alphas) sets.push_back({alpha});
  return sets;
}

/// A problem whose losses are functions of its leaves; the alphas are edge weights as they are.
class FunctionProblem : public BilevelProblem {
 public:
  FunctionProblem(Tensors weights, Tensors alphas, WeightStep step)
      : weights_(std::move(weights)), alphas_(std::move(alphas)), step_(std::move(step)) {
    for (const Tensors* leaves : {&weights_, &alphas_})
      for (const at::Tensor& leaf : *leaves) leaf.set_requires_grad(true);
  }
  const Tensors& weights() const override { return weights_; }
  const Tensors& alphas() const override { return alphas_; }
  const std::vector<std::size_t>& tied_weights() const override { return tied_; }
  std::vector<Relaxed> edge_weights(Wrt) override { return as_they_are(alphas_); }
  at::Tensor alpha_term(const std::vector<Relaxed>&) override { return {}; }
  at::Tensor uniform(const at::Tensor& like, std::uint64_t) override { return at::zeros_like(like); }
  WeightStep weight_step() const override { return step_; }

 protected:
  Tensors weights_, alphas_;

 private:
  std::vector<std::size_t> tied_;
  WeightStep step_;
};

/// L_val = a w - 2 a + 1, L_train = w^2 - 2 a w + a^2, at (a, w) = (2, -2).
class ToyProblem final : public FunctionProblem {
 public:
  explicit ToyProblem(double rate)
      : FunctionProblem({at::tensor(-2.0, at::kDouble)}, {at::tensor(2.0, at::kDouble)}, {.rate = rate}) {}
  at::Tensor loss(const std::vector<Relaxed>& edge_weights, const LossPass& pass) override {
    const at::Tensor &w = weights_[0], &a = edge_weights[0].weights;
    return pass.half == Half::train ? w * w - 2 * a * w + a * a : a * w - 2 * a + 1;
  }
};

/// A convolution, a softmax mixture of tanh(convolution), average pooling and identity, and a classifier.
class SmoothProblem final : public FunctionProblem {
 public:
  SmoothProblem()
      : FunctionProblem({at::randn({4, 3, 3, 3}, at::kDouble) * 0.3, at::randn({4, 4, 3, 3}, at::kDouble) * 0.3,
                         at::randn({5, 4}, at::kDouble)},
                        {at::randn({3}, at::kDouble)}, {.rate = 0.05}) {
    for (Batch* batch : {&train_, &valid_})
      *batch = {at::randn({6, 3, 8, 8}, at::kDouble), at::randint(5, {6}, at::kLong)};
  }
  at::Tensor loss(const std::vector<Relaxed>& edge_weights, const LossPass& pass) override {
    const Batch& batch = pass.half == Half::train ? train_ : valid_;
    const at::Tensor x = at::tanh(at::conv2d(batch.input, weights_[0], {}, 1, 1)),
                     mix = at::softmax(edge_weights[0].weights, 0);
    const at::Tensor y =
        mix[0] * at::tanh(at::conv2d(x, weights_[1], {}, 1, 1)) + mix[1] * at::avg_pool2d(x, 3, 1, 1) + mix[2] * x;
    return at::cross_entropy_loss(at::linear(y.mean(at::IntArrayRef{2, 3}), weights_[2]), batch.target);
  }

 private:
  Batch train_, valid_;
};

Tensors copies(const Tensors& tensors) {
  Tensors result;
  for (const at::Tensor& tensor : tensors) result.push_back(tensor.detach().clone());
  return result;
}

void assign(const Tensors& to, const Tensors& from) {
  const at::NoGradGuard no_grad;
  at::_foreach_copy_(to, from);
}

at::Tensor flat(const Tensors& tensors) {
  Tensors parts;
  for (const at::Tensor& tensor : tensors) parts.push_back(tensor.detach().flatten());
  return at::cat(parts);
}

/// What equations 7 and 8 of the paper say, differentiated by the machine throughout: the alphas' gradient at the
/// virtual weights, and the mixed second derivative times the weights' gradient there.
struct Exact {
  Tensors direct, mixed;
};

Exact differentiate(BilevelProblem& problem) {
  const WeightStep step = problem.weight_step();
  const Tensors start = copies(problem.weights());
  const Tensors gradient = gradients(problem.train_loss(Wrt::weights, false), problem.weights());
  Tensors virtual_weights;
  for (std::size_t i = 0; i < start.size(); ++i) {
    at::Tensor along = gradient[i] + step.decay * start[i];
    if (!step.momenta.empty()) along = along + step.momentum * step.momenta[i];
    virtual_weights.push_back(start[i] - step.rate * along);
  }
  Exact exact;
  assign(problem.weights(), virtual_weights);
  exact.direct = gradients(problem.valid_loss(Wrt::alphas, false), problem.alphas());
  const Tensors direction = gradients(problem.valid_loss(Wrt::weights, false), problem.weights());
  assign(problem.weights(), start);

  const Tensors recorded = torch::autograd::grad({problem.train_loss(Wrt::both, false)}, problem.weights(), {},
                                                 /*retain_graph=*/true, /*create_graph=*/true, /*allow_unused=*/true);
  at::Tensor product = at::zeros({}, at::kDouble);
  for (std::size_t i = 0; i < recorded.size(); ++i)
    if (recorded[i].defined()) product = product + (recorded[i] * direction[i]).sum();
  exact.mixed = gradients(product, problem.alphas());
  return exact;
}

/// How far the hypergradient's mixed derivative is from the exact one, relative to its largest entry.
double deviation(Hypergradient& hypergradient, BilevelProblem& problem, const Exact& exact) {
  const at::Tensor found = flat(hypergradient.alpha_gradients(problem));
  const at::Tensor mixed = (flat(exact.direct) - found) / problem.weight_step().rate;
  const double largest = flat(exact.mixed).abs().max().item<double>();
  return (mixed - flat(exact.mixed)).abs().max().item<double>() / largest;
}

}  // namespace

double toy_hypergradient(const PluginRegistry& plugins) {
  const auto hypergradient = make_part<Hypergradient>(plugins, "second_order", {});
  double worst = 0;
  for (const auto& [rate, expected] : {std::pair{0.0, -4.0}, {0.1, -2.8}, {0.5, 2.0}}) {
    ToyProblem toy(rate);
    worst = worse(worst, std::abs(hypergradient->alpha_gradients(toy)[0].item<double>() - expected));
  }
  return worst;
}

double mixed_derivative_smooth(const PluginRegistry& plugins) {
  at::manual_seed(11);
  SmoothProblem problem;
  return deviation(*make_part<Hypergradient>(plugins, "second_order", {}), problem, differentiate(problem));
}

double mixed_derivative_supernet(const PluginRegistry& plugins) {
  double best = std::numeric_limits<double>::infinity();
  for (const char* epsilon : {"1e-4", "1e-5", "1e-6", "1e-7"}) {
    SmallSearch search(plugins, "second_order", at::kDouble, {{"second_order", {{"epsilon", epsilon}}}});
    const Exact exact = differentiate(*search.problem);
    best = std::min(best, deviation(search.composition.part<Hypergradient>(), *search.problem, exact));
  }
  return best;
}

}  // namespace mixop
