#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/catch.hpp"
#include "tests/support/stored_search.hpp"

// Differences of gradients against second derivatives of a whole network, which autograd gives where cells are plain.

namespace {

using namespace mixop;
using Tensors = std::vector<at::Tensor>;

/// Gradients, once with a graph of their own and then of such; the graph of `of` stays.
Tensors graph_gradients(const at::Tensor& of, const Tensors& leaves, bool create_graph = false) {
  Tensors found = torch::autograd::grad({of}, leaves, {}, /*retain_graph=*/true, create_graph, /*allow_unused=*/true);
  for (std::size_t i = 0; i < found.size(); ++i)
    if (!found[i].defined()) found[i] = at::zeros_like(leaves[i]);
  return found;
}

at::Tensor joined(const Tensors& tensors) {
  Tensors parts;
  for (const at::Tensor& tensor : tensors) parts.push_back(tensor.flatten());
  return at::cat(parts);
}

double off(const at::Tensor& found, const at::Tensor& wanted) {
  return ((found - wanted).norm() / wanted.norm()).item<double>();
}

struct NetworkSearch {
  explicit NetworkSearch(const std::string& strategy) : search(fixture, strategy) { search.set_step(fixture, 0); }
  at::Tensor loss(Half half) { return search.problem.loss(search.problem.edge_weights(Wrt::both), {half, Wrt::both}); }
  test::Fixture fixture{"c_small_steps.h5"};
  test::StoredSearch search;
};

TEST_CASE("a product with the Hessian in the alphas is a difference of gradients", "[strategy][eigenvalue]") {
  NetworkSearch network("first_order");
  BilevelProblem& problem = network.search.problem;
  const Tensors& alphas = problem.alphas();
  Tensors direction;
  for (const at::Tensor& alpha : alphas) direction.push_back(at::linspace(-1, 1, alpha.numel(), at::kDouble).view_as(alpha));
  const at::Tensor gradient = joined(graph_gradients(network.loss(Half::valid), alphas, /*create_graph=*/true));
  const at::Tensor product = joined(graph_gradients(gradient.dot(joined(direction)), alphas)).detach();

  constexpr double kStep = 1e-6;
  const auto gradient_at = [&](double step) {
    {
      const at::NoGradGuard no_grad;
      at::_foreach_add_(alphas, direction, step);
    }
    const at::Tensor found = joined(problem.gradients(network.loss(Half::valid), alphas));
    const at::NoGradGuard no_grad;
    at::_foreach_add_(alphas, direction, -step);
    return found;
  };
  CHECK(off((gradient_at(kStep) - gradient_at(-kStep)) / (2 * kStep), product) < 1e-5);
}

TEST_CASE("the largest eigenvalue of a network's loss in its alphas is that of the dense Hessian",
          "[strategy][eigenvalue][long]") {
  NetworkSearch network("first_order");
  const Tensors& alphas = network.search.problem.alphas();
  const at::Tensor gradient = joined(graph_gradients(network.loss(Half::valid), alphas, /*create_graph=*/true));
  Tensors rows;
  for (std::int64_t i = 0; i < gradient.numel(); ++i) rows.push_back(joined(graph_gradients(gradient[i], alphas)));
  const at::Tensor hessian = at::stack(rows).detach();
  const auto largest = at::linalg_eigvalsh(hessian).max().item<double>();

  const auto stopper = make_part<Stopper>(test::plugins(), "eigenvalue", {{"eigenvalue", {{"epsilon", "1e-6"}}}});
  EpochReport report;
  report.problem = [&]() -> BilevelProblem& { return network.search.problem; };
  CHECK(stopper->reason_to_stop(report).empty());
  CHECK(stopper->measured().at("eigenvalue") == Approx(largest).epsilon(1e-5));
  CHECK(largest > 1e-3);
}

TEST_CASE("Neumann's terms of a network are those of its second derivatives", "[strategy][neumann][long]") {
  NetworkSearch network("idarts");
  BilevelProblem& problem = network.search.problem;
  const double gamma = network.search.real("lr");
  const Tensors &alphas = problem.alphas(), &weights = problem.weights();
  const at::Tensor valid = network.loss(Half::valid);
  const at::Tensor direct = joined(graph_gradients(valid, alphas)).detach();
  at::Tensor term = joined(graph_gradients(valid, weights)).detach(), sum = term;
  const at::Tensor train = joined(graph_gradients(network.loss(Half::train), weights, /*create_graph=*/true));
  for (int k = 0; k < 2; ++k) {
    term = term - gamma * joined(graph_gradients(train.dot(term), weights)).detach();
    sum = sum + term;
  }
  const at::Tensor expected = direct - gamma * joined(graph_gradients(train.dot(sum), alphas)).detach();

  // This network bends sharply: its loss has kinks at distances of 1e-6 in the space of its weights.
  const auto part = make_part<Hypergradient>(test::plugins(), "neumann", {{"neumann", {{"epsilon", "1e-7"}}}});
  const at::Tensor found = joined(part->alpha_gradients(problem));
  CHECK(off(found, expected) < 1e-6);
  CHECK(off(direct, expected) > 0.01);
}

}  // namespace
