#include <ATen/ATen.h>

#include "mixop/gradients.hpp"
#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"
#include "tests/support/relaxed.hpp"

namespace {

using namespace mixop;
using Tensors = std::vector<at::Tensor>;
using Options = std::map<std::string, std::string>;

Part<Regulariser> make(const std::string& name, const Options& options = {}) {
  return make_part<Regulariser>(test::plugins(), name, {{name, options}});
}

at::Tensor leaf(const std::vector<double>& values, at::IntArrayRef shape) {
  return at::tensor(values, at::kDouble).view(shape).clone().set_requires_grad(true);
}

/// The largest difference between a term's gradient and central differences of it.
double off_differences(const std::function<at::Tensor()>& term, const Tensors& leaves) {
  const Tensors found = gradients(term(), leaves);
  double worst = 0;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    at::Tensor flat = leaves[i].detach().view(-1);
    for (std::int64_t k = 0; k < flat.numel(); ++k) {
      const double start = flat[k].item<double>(), step = 1e-6;
      flat[k] = start + step;
      const auto above = term().item<double>();
      flat[k] = start - step;
      const auto below = term().item<double>();
      flat[k] = start;
      worst = std::max(worst, std::abs((above - below) / (2 * step) - found[i].view(-1)[k].item<double>()));
    }
  }
  return worst;
}

TEST_CASE("the zero-one loss is that of FairDARTS over all alphas", "[strategy][regularisers]") {
  // sigmoid(log 3) = 3/4, sigmoid(-log 4) = 1/5, sigmoid(0) = 1/2
  const Tensors alphas{leaf({std::log(3.0), 0}, {1, 2}), leaf({-std::log(4.0), 0}, {1, 1, 2})};
  const auto part = make("zero_one");
  const auto term = [&] { return part->term(alphas, {}, {}); };
  CHECK(term().item<double>() == Approx(-10 * (0.0625 + 0.09) / 4).epsilon(1e-14));
  CHECK(off_differences(term, alphas) < 1e-8);
  CHECK(make("zero_one", {{"weight", "2"}})->term(alphas, {}, {}).item<double>() == Approx(term().item<double>() / 5));
}

TEST_CASE("the decay of Beta-DARTS is the mean of log sum exp over all edges, with a weight that grows from 0",
          "[strategy][regularisers]") {
  const Tensors alphas{leaf({std::log(1.0), std::log(2.0), std::log(3.0), std::log(4.0)}, {2, 2}),
                       leaf({std::log(5.0), std::log(6.0)}, {1, 1, 2})};
  const auto part = make("beta_decay");
  const auto term = [&](std::int64_t epoch) { return part->term(alphas, {}, {epoch, 100, 0}); };
  CHECK(term(0).item<double>() == 0);
  CHECK(term(30).item<double>() == Approx(15 * std::log(3.0 * 7.0 * 11.0) / 3).epsilon(1e-14));
  CHECK(off_differences([&] { return term(30); }, alphas) < 1e-7);
}

std::vector<SearchedSet> searched() {
  SearchedSet one, rows;
  one.set.topology.operations = rows.set.topology.operations = {"a", "b"};
  one.set.topology.edges = {{0, 2}, {1, 2}};
  rows.set.topology.edges = {{0, 2}};
  rows.set.cells = {0, 1};
  rows.set.per_cell = true;
  one.multiply_adds = {0, 10, 0, 30};
  rows.multiply_adds = {4, 0, 0, 16};
  one.parameters = {1, 0, 0, 0};
  rows.parameters = {0, 0, 0, 3};
  return {one, rows};
}

TEST_CASE("the expected cost is in parts of that of the mean network", "[strategy][regularisers]") {
  const Tensors alphas{leaf({0.3, -1, 0.2, 2}, {2, 2}), leaf({1, -1, 0.5, 0}, {2, 1, 2})};
  const auto relaxed = [&] { return test::as_relaxed({at::softmax(alphas[0], -1), at::softmax(alphas[1], -1)}); };
  const auto even = test::as_relaxed({at::full({2, 2}, 0.5, at::kDouble), at::full({2, 1, 2}, 0.5, at::kDouble)});
  for (const char* of : {"multiply_adds", "parameters"}) {
    INFO(of);
    const auto part = make("cost", {{"of", of}, {"weight", "3"}});
    part->begin(searched());
    CHECK(part->term(alphas, even, {}).item<double>() == Approx(3).epsilon(1e-14));
    CHECK(off_differences([&] { return part->term(alphas, relaxed(), {}); }, alphas) < 1e-8);
  }
  const auto part = make("cost");
  part->begin(searched());
  const at::Tensor a = at::softmax(alphas[0].detach(), -1), b = at::softmax(alphas[1].detach(), -1);
  const at::Tensor by_hand = 10 * a[0][1] + 30 * a[1][1] + 4 * b[0][0][0] + 16 * b[1][0][1];
  CHECK(part->term(alphas, relaxed(), {}).item<double>() == Approx(0.1 * by_hand.item<double>() / 30).epsilon(1e-14));
}

TEST_CASE("options of regularisers that mean nothing are refused, and costs that no candidate has",
          "[strategy][regularisers][misuse]") {
  for (const std::string name : {"zero_one", "beta_decay", "cost"})
    CHECK_THROWS_WITH(make(name, {{"weight", "-1"}}),
                      name + ": " + name + ".weight: expected a number from 0 on, found -1");
  CHECK_THROWS_WITH(make("cost", {{"of", "joules"}}),
                    "cost: cost.of: expected multiply_adds or parameters, found 'joules'");
  std::vector<SearchedSet> free = searched();
  for (SearchedSet& set : free) set.parameters.assign(set.parameters.size(), 0);
  CHECK_THROWS_WITH(make("cost", {{"of", "parameters"}})->begin(free),
                    "cost.of: no candidate of this search has parameters; set strategy.regulariser=none");
}

}  // namespace
