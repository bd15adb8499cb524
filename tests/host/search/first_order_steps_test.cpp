#include <ATen/ATen.h>

#include "host/search/optimizers.hpp"
#include "host/search/problem.hpp"
#include "mixop/strategy.hpp"
#include "tests/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/search_fixture.hpp"

namespace {

using namespace mixop;
using test::disagreement;

double real(const JsonValue& config, const char* key) { return config.find(key)->number; }

/// The stored search, ready for its first step.
struct StoredSearch {
  explicit StoredSearch(const test::Fixture& fixture)
      : config(fixture.config()),
        stored(fixture),
        weights(parameters_of(*stored.network), real(config, "momentum"), real(config, "weight_decay")),
        adam(stored.alphas, {config.find("arch_betas")->items[0].number, config.find("arch_betas")->items[1].number},
             real(config, "arch_weight_decay")),
        hypergradient(make_part<Hypergradient>(test::plugins(), "first_order", {})),
        regulariser(make_part<Regulariser>(test::plugins(), "none", {})),
        problem(*stored.network, stored.alphas, *stored.relaxation, *regulariser, weights) {
    const auto names = fixture.list("state_parameter_names");
    for (std::size_t i = 0; i < names.size(); ++i) weights.momenta()[i].copy_(fixture.tensor("momentum/" + names[i]));
  }

  JsonValue config;
  test::StoredSupernet stored;
  Sgd weights;
  Adam adam;
  Part<Hypergradient> hypergradient;
  Part<Regulariser> regulariser;
  SearchProblem problem;
};

void check_weights(const test::Fixture& fixture, const std::string& group, const std::string& suffix,
                   const Network& network) {
  for (const StateEntry& entry : network.state()) {
    if (entry.kind != StateKind::parameter) continue;
    INFO(group + "/" + entry.name);
    CHECK(disagreement(entry.tensor, fixture.tensor(group + "/" + entry.name + suffix)) <= 1);
  }
}

TEST_CASE("ten first-order steps agree with the published code in double precision", "[search][parity]") {
  const test::Fixture fixture("c_small_steps.h5");
  StoredSearch search(fixture);
  const at::Tensor losses = fixture.tensor("first/train_loss_f64"), norms = fixture.tensor("first/grad_norm_f64"),
                   alpha_gradients = fixture.tensor("first/grad_alpha_f64");
  const double rate = real(search.config, "lr"), clip = real(search.config, "grad_clip");
  for (std::int64_t step = 0; step < search.config.find("steps")->integer; ++step) {
    INFO("step " << step);
    search.problem.set_step(test::StoredSupernet::batch(fixture, "train", step),
                            test::StoredSupernet::batch(fixture, "valid", step), {}, 0, rate, clip);
    const auto gradient = search.hypergradient->alpha_gradients(search.problem);
    CHECK(disagreement(at::cat({gradient[0].flatten(), gradient[1].flatten()}), alpha_gradients[step]) <= 1);
    search.adam.step(gradient, real(search.config, "arch_lr"));
    CHECK(disagreement(search.stored.alphas[0], fixture.tensor("first/alpha_normal_f64")[step]) <= 1);
    CHECK(disagreement(search.stored.alphas[1], fixture.tensor("first/alpha_reduce_f64")[step]) <= 1);

    const at::Tensor loss = search.problem.train_loss(Wrt::weights, true);
    CHECK(disagreement(loss, losses[step]) <= 1);
    auto weight_gradients = gradients(loss, search.problem.weights());
    CHECK(std::abs(clip_gradients(weight_gradients, clip) - norms[step].item<double>()) < 1e-8);
    search.weights.step(weight_gradients, rate);
    if (step == 0) check_weights(fixture, "first/weights_after_step0", "_f64", *search.stored.network);
  }
  check_weights(fixture, "first/weights_final_f64", "", *search.stored.network);
}

TEST_CASE("the alpha step records nothing for the weights, and the weight step nothing for the alphas", "[search]") {
  const test::Fixture fixture("c_small_steps.h5");
  StoredSearch search(fixture);
  search.problem.set_step(test::StoredSupernet::batch(fixture, "train", 0),
                          test::StoredSupernet::batch(fixture, "valid", 0), {}, 0, 0.025, 5.0);
  (void)search.problem.valid_loss(Wrt::alphas, true);
  for (const at::Tensor& weight : search.problem.weights()) CHECK_FALSE(weight.requires_grad());
  (void)search.problem.train_loss(Wrt::weights, true);
  for (const at::Tensor& alpha : search.problem.alphas()) CHECK_FALSE(alpha.requires_grad());
  CHECK_FALSE(search.problem.train_loss(Wrt::nothing, false).requires_grad());
}

}  // namespace
