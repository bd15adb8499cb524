#include <ATen/ATen.h>

#include "mixop/gradients.hpp"
#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"
#include "tests/support/quadratic_problem.hpp"

namespace {

using namespace mixop;
using test::QuadraticProblem;

at::Tensor hypergradient(QuadraticProblem& problem, const std::map<std::string, std::string>& options) {
  return QuadraticProblem::all(
      make_part<Hypergradient>(test::plugins(), "neumann", {{"neumann", options}})->alpha_gradients(problem));
}

/// Ca - gamma * B' * sum_{k = 0..terms} (I - gamma H)^k (w - t).
at::Tensor expected(const QuadraticProblem& problem, double gamma, int terms) {
  const at::Tensor w = QuadraticProblem::all(problem.weights()).detach();
  const at::Tensor a = QuadraticProblem::all(problem.alphas()).detach();
  at::Tensor term = w - problem.target, sum = term;
  for (int k = 0; k < terms; ++k) {
    term = term - gamma * problem.training.matmul(term);
    sum = sum + term;
  }
  return problem.bend.matmul(a) - gamma * problem.mixed.t().matmul(sum);
}

double off(const at::Tensor& found, const at::Tensor& wanted) {
  return ((found - wanted).norm() / wanted.norm()).item<double>();
}

TEST_CASE("the first terms of Neumann's series are those of the quadratic problem", "[strategy][neumann]") {
  for (const int terms : {0, 1, 2, 5}) {
    QuadraticProblem problem;
    INFO(terms << " terms");
    CHECK(off(hypergradient(problem, {{"terms", std::to_string(terms)}, {"gamma", "0.25"}}),
              expected(problem, 0.25, terms)) < 1e-10);
  }
}

TEST_CASE("the published defaults are two terms at the rate of the weights", "[strategy][neumann]") {
  QuadraticProblem problem;
  CHECK(off(hypergradient(problem, {}), expected(problem, 0.1, 2)) < 1e-10);
}

TEST_CASE("many terms give the exact implicit gradient", "[strategy][neumann]") {
  QuadraticProblem problem;
  const at::Tensor w = QuadraticProblem::all(problem.weights()).detach();
  const at::Tensor a = QuadraticProblem::all(problem.alphas()).detach();
  const at::Tensor inverse = at::linalg_inv(problem.training);
  const at::Tensor exact = problem.bend.matmul(a) - problem.mixed.t().matmul(inverse.matmul(w - problem.target));
  CHECK(off(hypergradient(problem, {{"terms", "300"}, {"gamma", "0.2"}}), exact) < 1e-8);
  CHECK(off(hypergradient(problem, {{"terms", "0"}, {"gamma", "0.2"}}), exact) > 0.1);
}

TEST_CASE("Neumann's series leaves weights bit by bit and takes statistics from the validation pass alone",
          "[strategy][neumann]") {
  QuadraticProblem problem;
  const at::Tensor before = QuadraticProblem::all(problem.weights()).detach().clone();
  (void)hypergradient(problem, {});
  CHECK(at::equal(QuadraticProblem::all(problem.weights()), before));
  CHECK(problem.passes.size() == 1 + 2 * 3);
  for (const LossPass& pass : problem.passes) CHECK(pass.update_statistics == (pass.half == Half::valid));
}

TEST_CASE("a validation loss that no weight moves leaves the direct gradient alone", "[strategy][neumann]") {
  QuadraticProblem problem;
  problem.target = QuadraticProblem::all(problem.weights()).detach().clone();
  CHECK(off(hypergradient(problem, {}), problem.bend.matmul(QuadraticProblem::all(problem.alphas()).detach())) == 0);
}

TEST_CASE("options of Neumann's series that mean nothing are refused", "[strategy][neumann][misuse]") {
  QuadraticProblem problem;
  CHECK_THROWS_WITH(hypergradient(problem, {{"terms", "-1"}}),
                    "neumann: neumann.terms: expected a number from 0 on, found -1");
  CHECK_THROWS_WITH(hypergradient(problem, {{"gamma", "-1"}}),
                    "neumann: neumann.gamma: expected a number from 0 on, found -1");
  CHECK_THROWS_WITH(hypergradient(problem, {{"epsilon", "0"}}),
                    "neumann: neumann.epsilon: expected a number above 0, found 0");
}

}  // namespace
