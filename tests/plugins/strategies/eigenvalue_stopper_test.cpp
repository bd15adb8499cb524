#include <ATen/ATen.h>

#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"
#include "tests/support/quadratic_problem.hpp"

namespace {

using namespace mixop;
using test::QuadraticProblem;

Part<Stopper> make(const std::map<std::string, std::string>& options = {}) {
  return make_part<Stopper>(test::plugins(), "eigenvalue", {{"eigenvalue", options}});
}

std::string epoch(Stopper& stopper, QuadraticProblem& problem, std::int64_t done = 1, bool moved = true) {
  EpochReport report;
  report.at = {done, 50, 0};
  report.alphas_moved = moved;
  report.problem = [&]() -> BilevelProblem& { return problem; };
  return stopper.reason_to_stop(report);
}

/// Its Hessian in the alphas scaled, so that the largest eigenvalue is `largest`.
void bend(QuadraticProblem& problem, double largest) {
  problem.bend = problem.bend * (largest / at::linalg_eigvalsh(problem.bend).max().item<double>());
}

TEST_CASE("the largest eigenvalue is that of the dense Hessian", "[strategy][eigenvalue]") {
  QuadraticProblem problem;
  const auto stopper = make();
  const at::Tensor alphas = QuadraticProblem::all(problem.alphas()).detach().clone();
  for (const double sign : {1.0, -1.0}) {  // once the largest in magnitude is the least one
    problem.bend = problem.bend * sign;
    const at::Tensor all = at::linalg_eigvalsh(problem.bend);
    INFO(all);
    CHECK(epoch(*stopper, problem).empty());
    CHECK(stopper->measured().at("eigenvalue") == Approx(all.max().item<double>()).epsilon(1e-9));
  }
  CHECK(at::equal(QuadraticProblem::all(problem.alphas()), alphas));
  for (const LossPass& pass : problem.passes)
    CHECK((pass.half == Half::valid && !pass.update_statistics && !pass.carry));
}

TEST_CASE("a few products come close to the largest of many eigenvalues", "[strategy][eigenvalue]") {
  class Wide final : public QuadraticProblem {
   public:
    Wide() : values_(at::linspace(-3, 2, 300, at::kDouble)) { values_[299] = 2.5; }
    const std::vector<at::Tensor>& alphas() const override { return wide_; }
    std::vector<Relaxed> edge_weights(Wrt) override { return test::as_relaxed(wide_); }
    at::Tensor loss(const std::vector<Relaxed>& edges, const LossPass& pass) override {
      passes.push_back(pass);
      return (edges[0].weights.square().flatten() * values_).sum() / 2;
    }
    at::Tensor uniform(const at::Tensor& like, std::uint64_t) override {
      at::manual_seed(1);
      return at::rand(like.sizes(), like.options());
    }

   private:
    std::vector<at::Tensor> wide_{at::zeros({3, 10, 10}, at::kDouble).set_requires_grad(true)};
    at::Tensor values_;
  };
  Wide problem;
  const auto stopper = make();
  CHECK(epoch(*stopper, problem).empty());
  CHECK(stopper->measured().at("eigenvalue") == Approx(2.5).epsilon(1e-2));
  CHECK(problem.passes.size() == 40);
  CHECK(epoch(*make({{"products", "3"}}), problem).empty());
  CHECK(problem.passes.size() == 46);
}

TEST_CASE("a loss that does not bend has an eigenvalue of 0", "[strategy][eigenvalue]") {
  QuadraticProblem problem;
  problem.bend.zero_();
  const auto stopper = make();
  CHECK(epoch(*stopper, problem).empty());
  CHECK(stopper->measured().at("eigenvalue") == 0);
}

TEST_CASE("a search ends where the averaged eigenvalue has grown by a third", "[strategy][eigenvalue]") {
  for (const bool grows : {false, true}) {
    QuadraticProblem problem;
    const auto stopper = make({{"window", "2"}});
    bend(problem, 3);
    CHECK(epoch(*stopper, problem, 1).empty());
    CHECK(epoch(*stopper, problem, 2).empty());
    bend(problem, grows ? 4.02 : 3.98);  // 3 / 4 is the limit
    CHECK(epoch(*stopper, problem, 3).empty());
    const std::string reason = epoch(*stopper, problem, 4);
    if (!grows) CHECK(reason.empty());
    if (grows)
      CHECK(reason ==
            "the largest eigenvalue of the validation loss in the alphas grows: 4.020000 on average over 2 epochs, "
            "3.000000 over those before; the published rule takes the genotype after epoch 1");
  }
}

TEST_CASE("epochs that train the weights alone are measured and do not count, and a ratio of 0 never ends a search",
          "[strategy][eigenvalue]") {
  QuadraticProblem problem;
  const auto stopper = make({{"window", "1"}}), never = make({{"window", "1"}, {"ratio", "0"}});
  bend(problem, 1);
  CHECK(epoch(*stopper, problem, 1, /*moved=*/false).empty());
  CHECK(stopper->measured().at("eigenvalue") == Approx(1));
  CHECK(epoch(*never, problem, 1).empty());
  bend(problem, 9);
  CHECK(epoch(*stopper, problem, 2).empty());
  CHECK(epoch(*never, problem, 2).empty());
}

TEST_CASE("the stopper by eigenvalues goes on from its saved state", "[strategy][eigenvalue][resume]") {
  QuadraticProblem problem;
  const auto first = make({{"window", "1"}}), second = make({{"window", "1"}});
  CHECK(first->save().empty());
  bend(problem, 1);
  CHECK(epoch(*first, problem, 1).empty());
  second->load(first->save());
  bend(problem, 2);
  CHECK_FALSE(epoch(*second, problem, 2).empty());
  CHECK_THROWS_WITH(second->load({{"history", at::zeros({7}, at::kDouble)}}),
                    Catch::Contains("the stopper eigenvalue finds no list 'history' of its window in its state"));
}

TEST_CASE("options of the stopper by eigenvalues that mean nothing are refused", "[strategy][eigenvalue][misuse]") {
  CHECK_THROWS_WITH(make({{"window", "0"}}), "eigenvalue: eigenvalue.window: expected a number from 1 on, found 0");
  CHECK_THROWS_WITH(make({{"ratio", "-1"}}), "eigenvalue: eigenvalue.ratio: expected a number from 0 on, found -1");
  CHECK_THROWS_WITH(make({{"products", "0"}}), "eigenvalue: eigenvalue.products: expected a number from 1 on, found 0");
  CHECK_THROWS_WITH(make({{"epsilon", "0"}}), "eigenvalue: eigenvalue.epsilon: expected a number above 0, found 0");
}

}  // namespace
