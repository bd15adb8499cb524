#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "mixop/gradients.hpp"
#include "mixop/random.hpp"
#include "plugins/strategies/sampling/gamma_draws.hpp"
#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"
#include "tests/support/relaxed.hpp"

namespace {

using namespace mixop;
using Options = std::map<std::string, std::string>;
using Tensors = std::vector<at::Tensor>;

constexpr std::int64_t kDraws = 100'000;

Part<Relaxation> make(const std::string& name, const Options& options = {}) {
  return make_part<Relaxation>(test::plugins(), name, {{name, options}});
}

RelaxationContext at_epoch(std::int64_t epoch, std::int64_t epochs = 11) {
  return {{epoch, epochs, 0}, Phase::train, 42};
}

/// So many edges with these alphas.
at::Tensor edges_of(const std::vector<double>& alphas, std::int64_t edges = kDraws) {
  return at::tensor(alphas, at::kDouble).repeat({edges, 1});
}

double largest(const at::Tensor& difference) { return difference.abs().max().item<double>(); }

at::Tensor some_alphas(std::vector<std::int64_t> shape = {3, 5, 4}) {
  at::manual_seed(3);
  return at::randn(shape, at::kDouble);
}

/// As the relaxation draws it: the noise of a uniform number.
at::Tensor gumbel_noise(const at::Tensor& alphas, std::uint64_t key) {
  return -(-uniform_numbers(alphas.sizes(), key, alphas).log()).log();
}

TEST_CASE("a temperature of the softmax sharpens it, and 1 changes no bit", "[strategy][sampling]") {
  const at::Tensor alphas = some_alphas();
  CHECK(at::equal(make("softmax")->relax(alphas, {}).weights, at::softmax(alphas, -1)));
  CHECK(largest(make("softmax", {{"temperature", "0.5"}})->relax(alphas, {}).weights - at::softmax(alphas * 2, -1)) <
        1e-15);
}

TEST_CASE("alphas of any size give finite weights and gradients", "[strategy][sampling]") {
  for (const char* name : {"softmax", "sigmoid", "gumbel", "concrete", "dirichlet", "uniform_sample"})
    for (const double size : {1e-3, 1.0, 30.0, 300.0, 3000.0})
      for (std::uint64_t key = 0; key < 20; ++key) {
        INFO(name << ", alphas of size " << size << ", key " << key);
        const at::Tensor alphas = (some_alphas() * size).requires_grad_(true);
        const at::Tensor weights = make(name)->relax(alphas, {{3, 11, 0}, Phase::train, key}).weights;
        CHECK(weights.isfinite().all().item<bool>());
        if (std::string(name) != "sigmoid") CHECK(largest(weights.sum(-1) - 1) < 1e-12);
        const at::Tensor gradient = gradients((weights * at::arange(4)).sum(), {alphas})[0];
        CHECK(gradient.isfinite().all().item<bool>());
      }
}

TEST_CASE("without draws, samplers give the softmax and the Dirichlet its mean, of all operations",
          "[strategy][sampling]") {
  const at::Tensor alphas = some_alphas();
  const at::Tensor concentration = at::where(alphas > 0, alphas + 1, alphas.exp());
  for (const Phase phase : {Phase::evaluate, Phase::derive}) {
    const RelaxationContext how{{3, 9, 4}, phase, 5};
    for (const char* name : {"gumbel", "concrete"}) {
      CHECK(at::equal(make(name)->relax(alphas, how).weights, at::softmax(alphas, -1)));
      CHECK(make(name)->relax(alphas, how).active.empty());
    }
    const Relaxed mean = make("dirichlet")->relax(alphas, how);
    CHECK(largest(mean.weights - concentration / concentration.sum(-1, true)) < 1e-15);
    CHECK(mean.active.empty());
  }
  CHECK(largest(make("uniform_sample")->relax(alphas, {{}, Phase::evaluate, 5}).weights - 0.25) == 0);
  CHECK(at::equal(make("uniform_sample")->relax(alphas, {{}, Phase::derive, 5}).weights, at::softmax(alphas, -1)));
}

TEST_CASE("draws are a function of the key", "[strategy][sampling]") {
  const at::Tensor alphas = some_alphas();
  RelaxationContext how = at_epoch(2), other = how;
  other.key = 43;
  for (const char* name : {"gumbel", "concrete", "dirichlet", "uniform_sample"}) {
    INFO(name);
    const auto part = make(name);
    CHECK(at::equal(part->relax(alphas, how).weights, part->relax(alphas, how).weights));
    CHECK_FALSE(at::equal(part->relax(alphas, how).weights, part->relax(alphas, other).weights));
  }
}

TEST_CASE("Gumbel's trick draws operations as often as the softmax says, at any temperature", "[strategy][sampling]") {
  const std::vector<double> row{0.5, -1, 1.5, 0};
  const at::Tensor expected = at::softmax(at::tensor(row, at::kDouble), -1);
  for (const std::int64_t epoch : {0, 10}) {
    const Relaxed drawn = make("gumbel")->relax(edges_of(row), at_epoch(epoch));
    CHECK(largest(drawn.weights.mean(0) - expected) < 4 * 0.5 / std::sqrt(kDraws));
    CHECK(largest(drawn.weights.sum(-1) - 1) < 1e-14);
    const at::Tensor ones = drawn.weights.flatten() > 0.5;
    std::int64_t agree = 0;
    for (std::int64_t i = 0; i < ones.numel(); ++i)
      agree += ones.const_data_ptr<bool>()[i] == drawn.active[static_cast<std::size_t>(i)] ? 1 : 0;
    CHECK(agree == ones.numel());
  }
}

TEST_CASE("the hard draw has the gradient of the soft one, whose temperature falls in a line", "[strategy][sampling]") {
  const at::Tensor alphas = some_alphas().set_requires_grad(true), other = at::randn({3, 5, 4}, at::kDouble);
  const at::Tensor noise = gumbel_noise(alphas.detach(), 42);
  struct Case {
    const char* name;
    std::int64_t epoch;
    double temperature;
  };
  for (const Case& is : {Case{"gumbel", 0, 10}, Case{"gumbel", 5, 5.05}, Case{"gumbel", 10, 0.1},
                         Case{"concrete", 0, 1}, Case{"concrete", 5, 0.515}, Case{"concrete", 10, 0.03}}) {
    INFO(is.name << " in epoch " << is.epoch);
    const at::Tensor soft = at::softmax((at::log_softmax(alphas, -1) + noise) / is.temperature, -1);
    const at::Tensor found = make(is.name)->relax(alphas, at_epoch(is.epoch)).weights;
    if (is.name == std::string("concrete")) CHECK(largest(found - soft) < 1e-12);
    CHECK(largest(gradients((found * other).sum(), {alphas})[0] - gradients((soft * other).sum(), {alphas})[0]) <
          1e-11);
  }
}

TEST_CASE("noise in single precision is finite or none where a uniform number is 0 or rounds to 1",
          "[strategy][sampling]") {
  // Keys whose first draws have no bit and all bits set.
  for (const std::uint64_t key : {0x61c8864680b583ebULL, 0x31628af67b2131abULL}) {
    const auto uniform = uniform_numbers({1}, key, at::empty({0}, at::kFloat)).item<float>();
    REQUIRE((uniform == 0 || uniform == 1));
    RelaxationContext how = at_epoch(0);
    how.key = key;
    for (const char* name : {"concrete", "gumbel", "dirichlet"}) {
      INFO(name << ", " << uniform);
      const at::Tensor alphas = at::zeros({2, 4}, at::kFloat).set_requires_grad(true);
      const at::Tensor weights = make(name)->relax(alphas, how).weights;
      CHECK(weights.isfinite().all().item<bool>());
      CHECK(gradients(weights.square().sum(), {alphas})[0].isfinite().all().item<bool>());
    }
  }
}

TEST_CASE("Dirichlet draws have the distribution's means, variances and covariances", "[strategy][sampling]") {
  // elu(alpha) + 1 of 0.2, 1, 2.5.
  const at::Tensor c = at::tensor({0.2, 1.0, 2.5}, at::kDouble), mean = c / c.sum();
  const at::Tensor drawn = make("dirichlet")->relax(edges_of({std::log(0.2), 0, 1.5}), at_epoch(0)).weights;
  CHECK(largest(drawn.sum(-1) - 1) < 1e-14);
  CHECK(largest(drawn.mean(0) - mean) < 5e-3);
  const at::Tensor off = drawn - mean, covariance = off.t().matmul(off) / static_cast<double>(kDraws);
  const at::Tensor expected = (at::diag(mean) - mean.outer(mean)) / (c.sum() + 1);
  CHECK(largest(covariance - expected) < 1e-3);
}

TEST_CASE("Gamma draws have the distribution's moments at concentrations of any size", "[strategy][sampling]") {
  for (const double c : {1e-3, 0.1, 1.0, 4.0, 60.0}) {
    INFO("concentration " << c);
    const at::Tensor draws = strategies::log_gamma_draws(at::full({kDraws}, c, at::kDouble), 7).exp();
    const double error = std::sqrt(c / kDraws);
    CHECK(std::abs(draws.mean().item<double>() - c) < 5 * error);
    // Its fourth central moment is 3 c^2 + 6 c.
    CHECK(std::abs((draws - c).square().mean().item<double>() - c) < 5 * std::sqrt((2 * c * c + 6 * c) / kDraws));
  }
}

TEST_CASE("the slope of a Gamma draw is that of the quantile, by differences of the incomplete gamma function",
          "[strategy][sampling]") {
  // Of F(c, x) = P(c, x): d log x / dc = -(dF/dc) / (x dF/dx), each by a central difference.
  for (const double c : {0.05, 0.7, 1.0, 3.0, 18.0}) {
    const at::Tensor at_c = at::full({200}, c, at::kDouble);
    const at::Tensor log_x = strategies::log_gamma_draws(at_c, 11), x = log_x.exp();
    const double step = 1e-5 * c;
    const at::Tensor of_c = (at::special_gammainc(at_c + step, x) - at::special_gammainc(at_c - step, x)) / (2 * step);
    const at::Tensor x_density = ((c * log_x) - x - std::lgamma(c)).exp();
    const at::Tensor expected = -of_c / x_density, found = strategies::log_gamma_slopes(at_c, log_x);
    INFO("concentration " << c);
    // Differences know little where P is next to 1.
    const at::Tensor known = at::special_gammainc(at_c, x).lt(0.999).to(at::kDouble);
    CHECK(known.sum().item<double>() > 190);
    CHECK(largest((found - expected) / expected.abs() * known) < 1e-6);
  }
}

TEST_CASE("the gradient along Dirichlet draws has the gradient of the mean of a function as its mean",
          "[strategy][sampling]") {
  // E theta_0^2 = c_0 (c_0 + 1) / (C (C + 1)), C the sum; here by alphas above 0, where c = alpha + 1.
  const std::vector<double> alphas{0.5, 0.2, 1.3};
  const at::Tensor leaf = edges_of(alphas, 30'000).set_requires_grad(true);
  const at::Tensor weights = make("dirichlet")->relax(leaf, at_epoch(0)).weights;
  const at::Tensor found = gradients(weights.select(1, 0).square().sum(), {leaf})[0].mean(0);
  const at::Tensor c = (at::tensor(alphas, at::kDouble) + 1).set_requires_grad(true), sum = c.sum();
  const at::Tensor expected = gradients(c[0] * (c[0] + 1) / (sum * (sum + 1)), {c})[0];
  CHECK(largest(found - expected) < 4e-3);
  CHECK(largest(expected) > 0.08);
}

TEST_CASE("the Dirichlet's gradient for fixed draws is that of the normalised Gamma draws", "[strategy][sampling]") {
  const at::Tensor alphas = some_alphas({5, 4}).set_requires_grad(true), other = at::randn({5, 4}, at::kDouble);
  const at::Tensor found =
      gradients((make("dirichlet")->relax(alphas, at_epoch(0)).weights * other).sum(), {alphas})[0];
  const at::Tensor held = alphas.detach(), c = at::where(held > 0, held + 1, held.exp());
  const at::Tensor draws = strategies::log_gamma_draws(c, 42), slopes = strategies::log_gamma_slopes(c, draws);
  const at::Tensor theta = at::softmax(draws, -1);
  const at::Tensor of_draws = theta * (other - (theta * other).sum(-1, true));
  CHECK(largest(found - of_draws * slopes * at::where(held > 0, at::ones_like(c), c)) < 1e-12);
}

TEST_CASE("uniform samples take every operation as often, and say which one on the host", "[strategy][sampling]") {
  const at::Tensor alphas = edges_of({5, 0, -5}).set_requires_grad(true);
  const Relaxed drawn = make("uniform_sample")->relax(alphas, at_epoch(0));
  CHECK(largest(drawn.weights.mean(0) - 1.0 / 3) < 4 * 0.5 / std::sqrt(kDraws));
  const at::Tensor ones = drawn.weights.flatten() == 1;
  bool same = true;
  for (std::int64_t i = 0; i < ones.numel(); ++i)
    same = same && ones.const_data_ptr<bool>()[i] == drawn.active[static_cast<std::size_t>(i)];
  CHECK(same);
  CHECK(largest(gradients(drawn.weights.sum(), {alphas})[0]) == 0);
}

TEST_CASE("temperatures that mean nothing are refused", "[strategy][sampling][misuse]") {
  CHECK_THROWS_WITH(make("softmax", {{"temperature", "0"}}),
                    "softmax: softmax.temperature: expected a number above 0, found 0");
  CHECK_THROWS_WITH(make("gumbel", {{"end", "-1"}}), "gumbel: gumbel.end: expected a number above 0, found -1");
  CHECK_THROWS_WITH(make("concrete", {{"temperature", "0"}}), "concrete: concrete.temperature: expected a number above 0, found 0");
}

}  // namespace
