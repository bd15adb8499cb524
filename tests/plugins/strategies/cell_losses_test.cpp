#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <numeric>

#include "tests/catch.hpp"
#include "tests/support/cellwise_search.hpp"
#include "tests/support/relaxed.hpp"

namespace {

using namespace mixop;
using test::disagreement;
using test::StoredCellwiseSearch;
using Tensors = std::vector<at::Tensor>;
using OptionMap = std::map<std::string, std::string>;

const OptionMap kPublished{{"mode", "published-code"}}, kNoAblation{{"ablation_weight", "0"}};

/// A problem of three cells, two in one tensor and one in another, whose losses are smooth functions of their edge
/// weights. The alphas are edge weights as they are.
class SmoothCells final : public BilevelProblem {
 public:
  explicit SmoothCells(double coupling = 1) : coupling_(coupling) {
    at::manual_seed(4);
    alphas_ = {at::rand({2, 3, 2}, at::kDouble), at::rand({4, 2}, at::kDouble)};
    weights_ = {at::rand({6}, at::kDouble)};
    for (const Tensors* leaves : {&weights_, &alphas_})
      for (const at::Tensor& leaf : *leaves) leaf.set_requires_grad(true);
    mix_ = at::randn({20, 6}, at::kDouble);
  }
  const Tensors& weights() const override { return weights_; }
  const Tensors& alphas() const override { return alphas_; }
  const std::vector<std::size_t>& tied_weights() const override { return tied_; }
  std::vector<Relaxed> edge_weights(Wrt) override { return test::as_relaxed(alphas_); }
  at::Tensor loss(const std::vector<Relaxed>& edges, const LossPass& pass) override {
    const at::Tensor all = coupling_ * at::cat({edges[0].weights.flatten(), edges[1].weights.flatten()});
    const at::Tensor value = (at::tanh(at::matmul(all, mix_)) * weights_[0]).sum().square();
    return pass.half == Half::train ? value * 0.5 : value;
  }
  at::Tensor alpha_term(const std::vector<Relaxed>& edges) override {
    return term ? edges[1].weights.pow(3).sum() : at::Tensor();
  }
  at::Tensor uniform(const at::Tensor& like, std::uint64_t draw) override {
    return at::linspace(0.1, 0.8, like.numel(), at::kDouble).view(like.sizes()) * (1 + static_cast<double>(draw)) / 3;
  }
  WeightStep weight_step() const override { return {}; }

  bool term = false;

 private:
  Tensors weights_, alphas_;
  std::vector<std::size_t> tied_;
  at::Tensor mix_;
  double coupling_;
};

double zero_one(const at::Tensor& relaxed, bool squared) {
  const at::Tensor distance = relaxed.detach() - 0.5;
  return -(squared ? distance.square() : distance.abs()).mean().item<double>();
}

/// The loss of cell i as the paper writes it, from passes alone.
double cell_loss(BilevelProblem& problem, std::size_t i, bool squared = true) {
  const std::vector<Relaxed> relaxed = problem.edge_weights(Wrt::nothing);
  Tensors edges, cells;
  for (const Relaxed& set : relaxed) edges.push_back(set.weights);
  std::vector<std::pair<std::size_t, std::int64_t>> places;
  for (std::size_t t = 0; t < edges.size(); ++t)
    for (std::int64_t row = 0; row < (edges[t].dim() == 3 ? edges[t].size(0) : 1); ++row) {
      cells.push_back(edges[t].dim() == 3 ? edges[t][row] : edges[t]);
      places.emplace_back(t, edges[t].dim() == 3 ? row : -1);
    }
  const LossPass pass{Half::valid, Wrt::nothing};
  const double whole = problem.loss(relaxed, pass).item<double>();
  std::vector<double> marginal;
  for (std::size_t j = 0; j < cells.size(); ++j) {
    Tensors ablated;
    for (const at::Tensor& tensor : edges) ablated.push_back(tensor.detach().clone());
    const at::Tensor random = problem.uniform(cells[j].detach(), j);
    (places[j].second < 0 ? ablated[places[j].first] : ablated[places[j].first][places[j].second]).copy_(random);
    marginal.push_back(whole - problem.loss(test::as_relaxed(ablated), pass).item<double>());
  }
  const double mean = std::accumulate(marginal.begin(), marginal.end(), 0.0) / static_cast<double>(marginal.size());
  const double ablation = std::abs(mean) < 1e-8 ? 0 : (mean - marginal[i]) / mean;
  const at::Tensor term = problem.alpha_term(relaxed);
  return whole + 9 * zero_one(cells[i], squared) + 0.7 * ablation + (term.defined() ? term.item<double>() : 0);
}

/// The largest difference between a gradient of one cell's alphas and central differences of that cell's loss, relative
/// to the largest entry.
double off_differences(BilevelProblem& problem, const at::Tensor& alphas, const at::Tensor& gradient, std::size_t i,
                       std::int64_t stride = 1, bool squared = true) {
  constexpr double kStep = 1e-7;
  const at::NoGradGuard no_grad;
  at::Tensor flat = alphas.view(-1);
  double worst = 0;
  for (std::int64_t k = 0; k < flat.numel(); k += stride) {
    const double start = flat[k].item<double>();
    flat[k] = start + kStep;
    const double above = cell_loss(problem, i, squared);
    flat[k] = start - kStep;
    const double below = cell_loss(problem, i, squared);
    flat[k] = start;
    worst = std::max(worst, std::abs((above - below) / (2 * kStep) - gradient.reshape(-1)[k].item<double>()));
  }
  return worst / gradient.abs().max().item<double>();
}

Tensors gradient_of(BilevelProblem& problem, const OptionMap& options) {
  return make_part<Hypergradient>(test::plugins(), "ddarts", {{"ddarts", options}})->alpha_gradients(problem);
}

TEST_CASE("each cell's alphas follow their own loss with a differentiated ablation term", "[ddarts]") {
  for (const bool squared : {true, false}) {
    SmoothCells problem;
    problem.term = squared;
    const Tensors found = gradient_of(problem, {{"zero_one", squared ? "conv" : "tri"}});
    INFO((squared ? "conv" : "tri"));
    CHECK(off_differences(problem, problem.alphas()[0].detach()[0], found[0][0], 0, 1, squared) < 1e-6);
    CHECK(off_differences(problem, problem.alphas()[0].detach()[1], found[0][1], 1, 1, squared) < 1e-6);
    CHECK(off_differences(problem, problem.alphas()[1].detach(), found[1], 2, 1, squared) < 1e-6);
  }
}

TEST_CASE("the ablation term is zero where the cells contribute nothing", "[ddarts]") {
  SmoothCells problem(/*coupling=*/1e-9);
  const Tensors with = gradient_of(problem, {}), without = gradient_of(problem, kNoAblation);
  for (std::size_t i = 0; i < with.size(); ++i) CHECK(at::equal(with[i], without[i]));
}

TEST_CASE("weights follow the training loss alone in the mode of the paper", "[ddarts]") {
  SmoothCells problem;
  const auto part = make_part<Hypergradient>(test::plugins(), "ddarts", {});
  (void)part->alpha_gradients(problem);
  const Tensors expected = gradients(problem.weight_loss(), problem.weights());
  CHECK(at::equal(part->weight_gradients(problem)[0], expected[0]));
  CHECK(part->save().empty());
}

TEST_CASE("options of the cells' losses that mean nothing are refused", "[ddarts][misuse]") {
  const auto refusal = [](const char* name, const char* value) {
    try {
      (void)make_part<Hypergradient>(test::plugins(), "ddarts", {{"ddarts", {{name, value}}}});
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  CHECK(refusal("mode", "code") == "ddarts: ddarts.mode: expected paper or published-code, found 'code'");
  CHECK(refusal("zero_one", "cubic") == "ddarts: ddarts.zero_one: expected conv or tri, found 'cubic'");
  CHECK(refusal("zero_one_weight", "-1") == "ddarts: ddarts.zero_one_weight: expected a number from 0 on, found -1");
  CHECK(refusal("ablation_weight", "-0.5") ==
        "ddarts: ddarts.ablation_weight: expected a number from 0 on, found -0.5");
}

TEST_CASE("a saved state of another form than the alphas is refused", "[ddarts][misuse]") {
  SmoothCells problem;
  const auto part = make_part<Hypergradient>(test::plugins(), "ddarts", {{"ddarts", kPublished}});
  part->load({{"left_0", at::zeros({2, 3, 2}, at::kDouble)}, {"left_1", at::zeros({4, 3}, at::kDouble)}});
  CHECK_THROWS_WITH(part->alpha_gradients(problem), Catch::Matchers::Contains("do not have the form of the alphas"));
}

TEST_CASE("the losses of the cells and their gradients agree with the published code", "[ddarts][parity]") {
  const test::Fixture fixture("g_ddarts_supernet.h5");
  StoredCellwiseSearch search(fixture, kPublished);
  const Tensors seen = search.hypergradient().alpha_gradients(search.problem);
  CHECK(disagreement(seen[0], fixture.tensor("repo_step0/alpha_grad_seen_by_adam_f64")) <= 1);
  CHECK(search.problem.updates == 5);

  const at::Tensor stored = fixture.tensor("clean/cell_loss_total_ce_l01_abl_f64");  // [cells, terms]
  const at::Tensor losses = at::tensor(search.problem.valid_losses, at::kDouble);
  CHECK(disagreement(losses[0], stored[0][1]) <= 1);
  CHECK(disagreement(losses[0] - losses.narrow(0, 1, losses.size(0) - 1),
                     fixture.tensor("clean/marginal_contributions_f64")) <= 1);

  StoredCellwiseSearch own(fixture, kNoAblation);  // the published ablation term has no gradient
  CHECK(disagreement(own.hypergradient().alpha_gradients(own.problem)[0],
                     fixture.tensor("clean/cell_loss_grad_alpha_f64")) <= 1);
  StoredCellwiseSearch plain(fixture, {{"ablation_weight", "0"}, {"zero_one_weight", "0"}});
  CHECK(disagreement(plain.hypergradient().alpha_gradients(plain.problem)[0],
                     fixture.tensor("clean/valid_ce_grad_alpha_f64")) <= 1);
}

TEST_CASE("both zero-one terms have the published gradients", "[ddarts][parity]") {
  const test::Fixture fixture("g_ddarts_supernet.h5");
  const auto term = [&](const std::string& kind) {
    const auto gradient = [&](const std::string& weight) {
      StoredCellwiseSearch search(fixture, {{"ablation_weight", "0"}, {"zero_one", kind}, {"zero_one_weight", weight}});
      return search.hypergradient().alpha_gradients(search.problem)[0];
    };
    return gradient("1") - gradient("0");
  };
  // The stored ones are gradients of the training loss with 9 times the mean over all cells of either term.
  const double weight = 9 / static_cast<double>(fixture.tensor("alphas").size(0));
  const at::Tensor tri = fixture.tensor("clean/tri_grad_alpha_f64"),
                   conv = fixture.tensor("clean/train_grad_alpha_f64");
  CHECK(disagreement(weight * (term("tri") - term("conv")), tri - conv) <= 1);
}

TEST_CASE("two whole steps agree with the published code, left gradients and all", "[ddarts][parity]") {
  const test::Fixture fixture("g_ddarts_supernet.h5");
  StoredCellwiseSearch search(fixture, kPublished);
  for (const std::string step : {"0", "1"}) {
    INFO("step " << step);
    const auto stored = [&](const std::string& name) {
      return fixture.tensor("repo_step" + step + "/" + name + "_f64");
    };
    search.set_step(fixture, step == "0" ? "" : "2");
    const Tensors seen = search.hypergradient().alpha_gradients(search.problem);
    CHECK(disagreement(seen[0], stored("alpha_grad_seen_by_adam")) <= 1);
    CHECK(disagreement(search.hypergradient().save().at("left_0"), stored("alpha_grad_left_after_arch_step")) <= 1);
    const at::Tensor terms = stored("valid_ce__mean_l01__abl_per_cell");
    CHECK(disagreement(at::scalar_tensor(search.problem.valid_losses[0], at::kDouble), terms[0]) <= 1);

    search.adam.step(seen, search.stored.real("arch_lr"));
    CHECK(disagreement(search.stored.alphas[0], stored("alpha_after")) <= 1);
    Tensors weights = search.hypergradient().weight_gradients(search.problem);
    const double zero_ones = 9 * zero_one(at::sigmoid(search.stored.alphas[0]), true);
    CHECK(disagreement(search.own.train_value() + zero_ones, stored("train_loss")) <= 1);
    CHECK(disagreement(search.hypergradient().save().at("left_0"), stored("alpha_grad_left_after_weight_step")) <= 1);
    const double norm = norm_of(weights).item<double>();
    clip(weights, search.stored.real("grad_clip"));
    CHECK(norm == Approx(stored("weight_grad_norm_before_clip").item<double>()).epsilon(1e-9));
    search.weights.step(weights, search.stored.real("lr"));
    const std::string after = "repo_step" + step + "/weights_after";
    if (fixture.has(after)) test::check_state(*search.stored.network, StateKind::parameter, fixture, after);
  }
}

TEST_CASE("the supernet's cells follow their own losses to finite differences", "[ddarts]") {
  const test::Fixture fixture("g_ddarts_supernet.h5");
  StoredCellwiseSearch search(fixture, {});
  const at::Tensor found = search.hypergradient().alpha_gradients(search.problem)[0];
  CHECK(search.problem.updates == 1);
  const at::Tensor alphas = search.stored.alphas[0].detach();
  CHECK(off_differences(search.problem, alphas[2], found[2], 2, 45) < 1e-5);
}

}  // namespace
