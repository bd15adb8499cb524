#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "mixop/draws.hpp"
#include "mixop/gradients.hpp"
#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;
using Line = std::vector<double>;
using Tensors = std::vector<at::Tensor>;

/// Edge weights are the softmax of the alphas, and the training loss is a curved function of them.
class CurvedEdges : public BilevelProblem {
 public:
  CurvedEdges() {
    at::manual_seed(8);
    alphas_ = {at::randn({5, 4}, at::kDouble), at::randn({2, 3, 4}, at::kDouble)};
    for (const at::Tensor& alpha : alphas_) factors_.push_back(at::randn(alpha.sizes(), at::kDouble));
    for (const Tensors* leaves : {&weights_, &alphas_})
      for (const at::Tensor& leaf : *leaves) leaf.set_requires_grad(true);
  }
  const Tensors& weights() const override { return weights_; }
  const Tensors& alphas() const override { return alphas_; }
  const std::vector<std::size_t>& tied_weights() const override { return tied_; }
  std::vector<Relaxed> edge_weights(Wrt) override {
    return {{at::softmax(alphas_[0], -1)}, {at::softmax(alphas_[1], -1), std::vector<bool>(24, true)}};
  }
  at::Tensor loss(const std::vector<Relaxed>& edges, const LossPass& pass) override {
    passes.push_back(pass);
    at::Tensor sum = weights_[0].sum() * 0;
    for (std::size_t set = 0; set < edges.size(); ++set) {
      const at::Tensor scaled = edges[set].weights * factors_[set];
      sum = sum + (scaled + curve * scaled.square()).sum();
    }
    return sum;
  }
  at::Tensor alpha_term(const std::vector<Relaxed>&) override { return {}; }
  at::Tensor uniform(const at::Tensor& like, std::uint64_t draw) override {
    return uniform_numbers(like.sizes(), draw, like);
  }
  WeightStep weight_step() const override { return {}; }

  double curve = 0.5;
  std::vector<LossPass> passes;

  /// The gradient of that loss, entry by entry.
  Line slope_at(std::size_t set, std::int64_t row, const Line& weights) const {
    const at::Tensor factors = factors_[set].reshape({-1, 4})[row];
    Line slopes;
    for (std::size_t k = 0; k < 4; ++k) {
      const auto factor = factors[static_cast<std::int64_t>(k)].item<double>();
      slopes.push_back(factor + 2 * curve * factor * factor * weights[k]);
    }
    return slopes;
  }

 private:
  Tensors weights_{at::randn({3}, at::kDouble)}, alphas_, factors_;
  std::vector<std::size_t> tied_;
};

/// As the published program clips a line.
Line clipped(Line line) {
  const auto largest = std::max_element(line.begin(), line.end()) - line.begin();
  for (double& value : line) value = std::clamp(value, 0.0, 1.0);
  if (std::accumulate(line.begin(), line.end(), 0.0) == 0) line[static_cast<std::size_t>(largest)] = 1;
  const double sum = std::accumulate(line.begin(), line.end(), 0.0);
  for (double& value : line) value /= sum;
  return line;
}

Line line_of(const at::Tensor& weights, std::int64_t row) {
  const at::Tensor line = weights.detach().reshape({-1, 4})[row].contiguous();
  return {line.const_data_ptr<double>(), line.const_data_ptr<double>() + 4};
}

/// The published perturbation, entry by entry: from a random point so many steps of ascent.
Line published(CurvedEdges& problem, std::size_t set, std::int64_t row, double epsilon, int steps) {
  const at::Tensor all = problem.edge_weights(Wrt::nothing)[set].weights.detach();
  const Line around = line_of(all, row), random = line_of(problem.uniform(all, (1 << 20) + set), row);
  Line line = around;
  for (std::size_t k = 0; k < 4; ++k) line[k] += epsilon * (2 * random[k] - 1);
  line = clipped(line);
  for (int step = 0; step < steps; ++step) {
    const Line slopes = problem.slope_at(set, row, line);
    for (std::size_t k = 0; k < 4; ++k) {
      const double moved = line[k] + 2 * epsilon / steps * (slopes[k] > 0 ? 1 : -1);
      line[k] = around[k] + std::clamp(moved - around[k], -epsilon, epsilon);
    }
    line = clipped(line);
  }
  return line;
}

std::vector<Relaxed> smoothed(const std::string& name, CurvedEdges& problem, std::int64_t epoch = 0,
                              const std::map<std::string, std::string>& options = {}) {
  const auto part = make_part<Smoothing>(test::plugins(), name, {{name, options}});
  return part->smoothed(problem, problem.edge_weights(Wrt::both), {epoch, 10, 0});
}

void check_published(const std::vector<Relaxed>& found, CurvedEdges& problem, double epsilon, int steps) {
  for (std::size_t set = 0; set < 2; ++set)
    for (std::int64_t row = 0; row < (set == 0 ? 5 : 6); ++row) {
      INFO("set " << set << ", edge " << row);
      const Line line = line_of(found[set].weights, row), expected = published(problem, set, row, epsilon, steps);
      for (std::size_t k = 0; k < 4; ++k) CHECK(line[k] == Approx(expected[k]).margin(1e-12));
    }
}

TEST_CASE("random perturbations are those of the published program, in a ball that grows by the epoch",
          "[strategy][smoothing]") {
  for (const auto& [epoch, epsilon] : {std::pair{0, 0.03}, std::pair{5, 0.165}, std::pair{9, 0.273}}) {
    INFO("epoch " << epoch);
    CurvedEdges problem;
    check_published(smoothed("random", problem, epoch), problem, epsilon, 0);
    CHECK(problem.passes.empty());
  }
}

TEST_CASE("adversarial perturbations are those of the published program", "[strategy][smoothing]") {
  for (const auto& [epoch, epsilon] : {std::pair{0, 0.03}, std::pair{9, 0.273}}) {
    INFO("epoch " << epoch);
    CurvedEdges problem;
    check_published(smoothed("adversarial", problem, epoch), problem, epsilon, 7);
    CHECK(problem.passes.size() == 9);
    for (const LossPass& pass : problem.passes)
      CHECK((pass.half == Half::train && !pass.update_statistics && !pass.penalties && !pass.carry));
  }
  CurvedEdges problem;
  check_published(smoothed("adversarial", problem, 0, {{"steps", "2"}, {"start", "0.2"}}), problem, 0.2, 2);
}

TEST_CASE("adversarial perturbations raise the loss, more than random ones, or are left out", "[strategy][smoothing]") {
  CurvedEdges problem;
  const auto loss = [&](const std::vector<Relaxed>& edges) { return problem.loss(edges, {}).item<double>(); };
  const double before = loss(problem.edge_weights(Wrt::nothing));
  const double random = loss(smoothed("random", problem, 5)), adversarial = loss(smoothed("adversarial", problem, 5));
  CHECK(adversarial > before);
  CHECK(adversarial > random);
}

TEST_CASE("where every perturbation lowers the loss there is none", "[strategy][smoothing]") {
  class Peak final : public CurvedEdges {
   public:
    at::Tensor loss(const std::vector<Relaxed>& edges, const LossPass&) override {
      return -(edges[0].weights - edge_weights(Wrt::nothing)[0].weights.detach()).square().sum() +
             0 * edges[1].weights.sum();
    }
  };
  Peak problem;
  const std::vector<Relaxed> found = smoothed("adversarial", problem, 5), edges = problem.edge_weights(Wrt::nothing);
  for (std::size_t set = 0; set < 2; ++set) CHECK(at::equal(found[set].weights, edges[set].weights));
}

TEST_CASE("perturbations have no graph, and the edge weights keep theirs and what is active", "[strategy][smoothing]") {
  for (const char* name : {"random", "adversarial"}) {
    INFO(name);
    CurvedEdges problem;
    const std::vector<Relaxed> found = smoothed(name, problem), plain = problem.edge_weights(Wrt::both);
    CHECK(found[0].active.empty());
    CHECK(found[1].active == std::vector<bool>(24, true));
    for (std::size_t set = 0; set < 2; ++set) {
      const at::Tensor factors = at::arange(plain[set].weights.numel(), at::kDouble).view(plain[set].weights.sizes());
      CHECK(at::allclose(gradients((found[set].weights * factors).sum(), {problem.alphas()[set]})[0],
                         gradients((plain[set].weights * factors).sum(), {problem.alphas()[set]})[0], 1e-12, 1e-14));
      CHECK((found[set].weights - plain[set].weights).abs().max().item<double>() > 1e-3);
    }
  }
}

TEST_CASE("edge weights of any sum keep it, and one whose weights all fall below 0 has its largest alone",
          "[strategy][smoothing]") {
  class Uneven final : public BilevelProblem {
   public:
    const Tensors& weights() const override { return none_; }
    const Tensors& alphas() const override { return none_; }
    const std::vector<std::size_t>& tied_weights() const override { return tied_; }
    std::vector<Relaxed> edge_weights(Wrt) override {
      return {{at::tensor({0.9, 0.8, 0.4, 0.02, 0.01, 0.01}, at::kDouble).view({2, 3})}};
    }
    at::Tensor loss(const std::vector<Relaxed>&, const LossPass&) override { return {}; }
    at::Tensor alpha_term(const std::vector<Relaxed>&) override { return {}; }
    at::Tensor uniform(const at::Tensor& like, std::uint64_t) override {
      return at::tensor({0.5, 0.75, 0.0, 0.2, 0.3, 0.1}, like.options()).view({2, 3});
    }
    WeightStep weight_step() const override { return {}; }

   private:
    Tensors none_;
    std::vector<std::size_t> tied_;
  };
  Uneven problem;
  const auto part = make_part<Smoothing>(test::plugins(), "random", {{"random", {{"start", "0.2"}}}});
  const at::Tensor found = part->smoothed(problem, problem.edge_weights(Wrt::nothing), {0, 10, 0})[0].weights;
  const at::Tensor expected =
      at::tensor({0.9 * 1.05, 0.9 * 1.05, 0.2 * 1.05, 0.0, 0.04, 0.0}, at::kDouble).view({2, 3});
  CHECK((found - expected).abs().max().item<double>() < 1e-15);
}

TEST_CASE("options of smoothings that mean nothing are refused", "[strategy][smoothing][misuse]") {
  CurvedEdges problem;
  CHECK_THROWS_WITH(smoothed("random", problem, 0, {{"start", "-1"}}),
                    "random: random.start: expected a number from 0 on, found -1");
  CHECK_THROWS_WITH(smoothed("adversarial", problem, 0, {{"end", "-1"}}),
                    "adversarial: adversarial.end: expected a number from 0 on, found -1");
  CHECK_THROWS_WITH(smoothed("adversarial", problem, 0, {{"steps", "0"}}),
                    "adversarial: adversarial.steps: expected a number from 1 on, found 0");
}

}  // namespace
