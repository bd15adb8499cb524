#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "tests/catch.hpp"
#include "tests/support/relaxed.hpp"
#include "tests/support/stored_search.hpp"

namespace {

using namespace mixop;
using test::disagreement;
using Tensors = std::vector<at::Tensor>;

Tensors copies(const Tensors& tensors) {
  Tensors result;
  for (const at::Tensor& tensor : tensors) result.push_back(tensor.detach().clone());
  return result;
}

/// Hands everything on, and keeps where the weights were at every loss, and the alphas' gradient of training there.
class Watched final : public BilevelProblem {
 public:
  explicit Watched(BilevelProblem& problem) : problem_(problem) {}
  const Tensors& weights() const override { return problem_.weights(); }
  const Tensors& alphas() const override { return problem_.alphas(); }
  const std::vector<std::size_t>& tied_weights() const override { return problem_.tied_weights(); }
  WeightStep weight_step() const override { return problem_.weight_step(); }
  std::vector<Relaxed> edge_weights(Wrt leaves) override { return problem_.edge_weights(leaves); }
  at::Tensor loss(const std::vector<Relaxed>& edge_weights, const LossPass& pass) override {
    if (pass.half == Half::valid) {
      valid_at.push_back(copies(weights()));
      if (on_valid) on_valid();
    } else {
      train_at.push_back(copies(weights()));
      train_gradients.push_back(test::flat(gradients(problem_.train_loss(Wrt::alphas, false), alphas())));
    }
    return problem_.loss(edge_weights, pass);
  }
  at::Tensor alpha_term(const std::vector<Relaxed>& edge_weights) override {
    return problem_.alpha_term(edge_weights);
  }
  at::Tensor uniform(const at::Tensor& like, std::uint64_t draw) override { return problem_.uniform(like, draw); }

  /// (g(w + r v) - g(w - r v)) / 2r of the last two training losses.
  at::Tensor implicit(double radius) const { return (train_gradients.at(1) - train_gradients.at(2)) / (2 * radius); }

  std::vector<Tensors> train_at, valid_at;
  Tensors train_gradients;
  std::function<void()> on_valid;

 private:
  BilevelProblem& problem_;
};

/// L_val = a w - 2 a + 1 and L_train = w^2 - 2 a w + a^2 at (a, w) = (2, -2): the problem of the paper's figure 2.
class Toy final : public BilevelProblem {
 public:
  Toy(WeightStep step, bool tied) : step_(std::move(step)) {
    if (tied) tied_ = {0};
  }
  const Tensors& weights() const override { return weights_; }
  const Tensors& alphas() const override { return alphas_; }
  const std::vector<std::size_t>& tied_weights() const override { return tied_; }
  std::vector<Relaxed> edge_weights(Wrt) override { return test::as_relaxed(alphas_); }
  at::Tensor loss(const std::vector<Relaxed>& edge_weights, const LossPass& pass) override {
    const at::Tensor &w = weights_[0], &a = edge_weights[0].weights;
    return pass.half == Half::train ? w * (w - 2 * a) + a.square() : a * w - 2 * a + 1;
  }
  at::Tensor alpha_term(const std::vector<Relaxed>&) override { return {}; }
  at::Tensor uniform(const at::Tensor& like, std::uint64_t) override { return at::zeros_like(like); }
  WeightStep weight_step() const override { return step_; }

 private:
  Tensors weights_{at::tensor(-2.0, at::kDouble).set_requires_grad(true)};
  Tensors alphas_{at::tensor(2.0, at::kDouble).set_requires_grad(true)};
  std::vector<std::size_t> tied_;
  WeightStep step_;
};

double toy_gradient(const WeightStep& step, const std::map<std::string, std::string>& options = {}, bool tied = false) {
  Toy toy(step, tied);
  const auto part = make_part<Hypergradient>(test::plugins(), "second_order", {{"second_order", options}});
  const double gradient = part->alpha_gradients(toy)[0].item<double>();
  CHECK(toy.weights()[0].item<double>() == -2);
  return gradient;
}

TEST_CASE("the gradient of the paper's toy problem is exact for every rate", "[second_order]") {
  CHECK(toy_gradient({.rate = 0}) == Approx(-4).epsilon(1e-12));
  CHECK(toy_gradient({.rate = 0.1}) == Approx(-2.8).epsilon(1e-12));
  CHECK(toy_gradient({.rate = 0.5}) == Approx(2).epsilon(1e-12));
}

TEST_CASE("decay and momentum move the virtual weight, and momentum can be left out", "[second_order]") {
  // At w' = w - xi (g + decay w + momentum m), with g = -8 and a second derivative of -2: a gradient of w' - 2 + 4 xi.
  const WeightStep step{.rate = 0.1, .momentum = 0.5, .decay = 0.25, .momenta = {at::tensor(3.0, at::kDouble)}};
  CHECK(toy_gradient(step) == Approx(-2 - 0.1 * (-8 - 0.5 + 1.5) - 2 + 0.4).epsilon(1e-12));
  CHECK(toy_gradient(step, {{"momentum", "false"}}) == Approx(-2 - 0.1 * (-8 - 0.5) - 2 + 0.4).epsilon(1e-12));
}

TEST_CASE("clipping limits both gradients and scales the implicit one, above 1 only where asked", "[second_order]") {
  // The training gradient of -8 becomes -limit, that of validation, 2, becomes min(2, limit).
  const double low = 4 / (8 + 1e-6), high = 16 / (8 + 1e-6);
  const std::map<std::string, std::string> clip{{"clip", "true"}}, uncapped{{"clip", "true"}, {"uncapped", "true"}};
  CHECK(toy_gradient({.rate = 0.1, .clip = 4}) == Approx(-2.8).epsilon(1e-12));
  CHECK(toy_gradient({.rate = 0.1, .clip = 4}, clip) == Approx(-2 + 0.1 * 8 * low - 2 + 0.1 * low * 4).epsilon(1e-12));
  CHECK(toy_gradient({.rate = 0.1, .clip = 16}, clip) == Approx(-2.8).epsilon(1e-12));
  CHECK(toy_gradient({.rate = 0.1, .clip = 16}, uncapped) == Approx(-2 + 0.8 - 2 + 0.1 * high * 4).epsilon(1e-12));
  CHECK(toy_gradient({.rate = 0.1, .clip = 0}, uncapped) == Approx(-2.8).epsilon(1e-12));
}

TEST_CASE("a validation gradient of zero gives the direct gradient alone", "[second_order]") {
  // Without a gradient of the weights there is no direction for the finite difference.
  class Flat final : public BilevelProblem {
   public:
    const Tensors& weights() const override { return weights_; }
    const Tensors& alphas() const override { return alphas_; }
    const std::vector<std::size_t>& tied_weights() const override { return tied_; }
    std::vector<Relaxed> edge_weights(Wrt) override { return test::as_relaxed(alphas_); }
    at::Tensor loss(const std::vector<Relaxed>& edges, const LossPass& pass) override {
      const at::Tensor& a = edges[0].weights;
      return pass.half == Half::train ? weights_[0].square() * a : 3 * a + 0 * weights_[0];
    }
    at::Tensor alpha_term(const std::vector<Relaxed>&) override { return {}; }
    at::Tensor uniform(const at::Tensor& like, std::uint64_t) override { return at::zeros_like(like); }
    WeightStep weight_step() const override { return {.rate = 0.1}; }

   private:
    Tensors weights_{at::tensor(-2.0, at::kDouble).set_requires_grad(true)};
    Tensors alphas_{at::tensor(2.0, at::kDouble).set_requires_grad(true)};
    std::vector<std::size_t> tied_;
  };
  Flat flat;
  const auto part = make_part<Hypergradient>(test::plugins(), "second_order", {});
  CHECK(part->alpha_gradients(flat)[0].item<double>() == 3);
  CHECK(flat.weights()[0].item<double>() == -2);
}

TEST_CASE("a stale tied weight stays in the virtual step and is still unrolled in the implicit term",
          "[second_order]") {
  CHECK(toy_gradient({.rate = 0.1}, {{"stale_tied", "true"}}, /*tied=*/true) == Approx(-4 + 0.4).epsilon(1e-12));
  CHECK(toy_gradient({.rate = 0.1}, {{"stale_tied", "true"}}, /*tied=*/false) == Approx(-2.8).epsilon(1e-12));
  CHECK(toy_gradient({.rate = 0.1}, {}, /*tied=*/true) == Approx(-2.8).epsilon(1e-12));
}

TEST_CASE("an epsilon that is not above 0 is refused", "[second_order][misuse]") {
  for (const char* epsilon : {"0", "-1"})
    CHECK_THROWS_WITH(
        make_part<Hypergradient>(test::plugins(), "second_order", {{"second_order", {{"epsilon", epsilon}}}}),
        Catch::Contains("second_order.epsilon: expected a number above 0, found " + std::string(epsilon)));
}

TEST_CASE("ten second-order steps agree with the published code in double precision", "[search][parity]") {
  const test::Fixture fixture("c_small_steps.h5");
  test::StoredSearch search(fixture, "second_order");
  test::check_steps(fixture, search, "second");
}

TEST_CASE("R and the implicit gradient of every step agree with the published code", "[search][parity]") {
  const test::Fixture fixture("c_small_steps.h5");
  test::StoredSearch search(fixture, "second_order");
  const at::Tensor radii = fixture.tensor("second/R_f64"), implicit = fixture.tensor("second/implicit_grad_f64");
  for (std::int64_t step = 0; step < search.config.find("steps")->integer; ++step) {
    INFO("step " << step);
    search.set_step(fixture, step);
    Watched watched(search.problem);
    Tensors direct, direction;
    bool busy = false;
    watched.on_valid = [&] {
      if (std::exchange(busy, true)) return;
      direct = gradients(search.problem.valid_loss(Wrt::alphas, false), search.problem.alphas());
      direction = gradients(search.problem.valid_loss(Wrt::weights, false), search.problem.weights());
    };
    const Tensors before = copies(search.problem.weights());
    const auto gradient = search.hypergradient().alpha_gradients(watched);
    const double length = test::flat(direction).norm().item<double>(), radius = radii[step].item<double>();
    CHECK(0.01 / length == Approx(radius).epsilon(1e-9));
    const at::Tensor found = watched.implicit(0.01 / length);
    CHECK(disagreement(found, implicit[step]) <= 1);
    CHECK(disagreement(test::flat(gradient), test::flat(direct) - search.real("eta") * found) <= 1);

    REQUIRE(watched.train_at.size() == 3);
    REQUIRE(watched.valid_at.size() == 1);
    const at::Tensor start = test::flat(before), offset = radius * test::flat(direction);
    CHECK(at::equal(test::flat(watched.train_at[0]), start));
    CHECK((test::flat(watched.train_at[1]) - start - offset).abs().max().item<double>() < 1e-12);
    CHECK((test::flat(watched.train_at[2]) - start + offset).abs().max().item<double>() < 1e-12);
    CHECK(at::equal(test::flat(search.problem.weights()), start));

    search.adam.step(gradient, search.real("arch_lr"));
    auto weight_gradients = gradients(search.problem.weight_loss(), search.problem.weights());
    clip(weight_gradients, search.real("grad_clip"));
    search.weights.step(weight_gradients, search.real("lr"));
  }
}

TEST_CASE("the unrolled weights, their gradient and the statistics agree with the published code", "[search][parity]") {
  const test::Fixture fixture("c_architect_second.h5");
  test::StoredSearch search(fixture, "second_order");
  search.set_step(fixture, -1);
  Watched watched(search.problem);
  Tensors unrolled_gradient, direct;
  bool busy = false;
  watched.on_valid = [&] {
    if (std::exchange(busy, true)) return;
    unrolled_gradient = gradients(search.problem.valid_loss(Wrt::weights, false), search.problem.weights());
    direct = gradients(search.problem.valid_loss(Wrt::alphas, false), search.problem.alphas());
  };
  const auto gradient = search.hypergradient().alpha_gradients(watched);
  const auto stored = [&](const std::string& group) {
    return at::cat({fixture.tensor(group + "/normal_f64").flatten(), fixture.tensor(group + "/reduce_f64").flatten()});
  };
  CHECK(disagreement(test::flat(gradient), stored("grad_alpha")) <= 1);
  CHECK(disagreement(test::flat(direct), stored("dalpha_unrolled")) <= 1);
  const at::Tensor implicit = watched.implicit(0.01 / test::flat(unrolled_gradient).norm().item<double>());
  CHECK(disagreement(implicit, stored("implicit_grad")) <= 1);
  CHECK(disagreement(test::flat(gradient), test::flat(direct) - search.real("eta") * implicit) <= 1);

  REQUIRE(watched.valid_at.size() == 1);
  const auto names = fixture.list("state_parameter_names");
  std::size_t compared = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!fixture.has("unrolled_weights/" + names[i] + "_f64")) continue;
    INFO(names[i]);
    CHECK(disagreement(watched.valid_at[0][i], fixture.tensor("unrolled_weights/" + names[i] + "_f64")) <= 1);
    CHECK(disagreement(unrolled_gradient[i], fixture.tensor("unrolled_grad/" + names[i] + "_f64")) <= 1);
    ++compared;
  }
  REQUIRE(compared > 0);
  CHECK(compared == fixture.names("unrolled_weights").size());
  CHECK(compared == fixture.names("unrolled_grad").size());
  search.stored.check_statistics(fixture, "buffers_after_arch_step");
}

TEST_CASE("a loss that fails half-way leaves the weights bit by bit as they were", "[second_order]") {
  const test::Fixture fixture("c_small_steps.h5");
  test::StoredSearch search(fixture, "second_order");
  search.set_step(fixture, 0);
  Watched watched(search.problem);
  watched.on_valid = [] { throw Error(ErrorCode::failed, "out of luck"); };
  const at::Tensor before = test::flat(search.problem.weights());
  CHECK_THROWS_WITH(search.hypergradient().alpha_gradients(watched),
                    "out of luck");
  CHECK_FALSE(at::equal(test::flat(watched.valid_at.at(0)), before));
  CHECK(at::equal(test::flat(search.problem.weights()), before));
}

}  // namespace
