#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/support/recurrent_search.hpp"

namespace {

using namespace mixop;
using test::disagreement;
using test::StoredRecurrentSearch;

void check_state(const test::Fixture& fixture, const Network& network, const std::string& group, StateKind kind) {
  int compared = 0;
  for (const StateEntry& entry : network.state()) {
    const std::string path = group + "/" + entry.name + (entry.tensor.is_floating_point() ? "_f64" : "");
    if (entry.kind != kind || !fixture.has(path)) continue;
    INFO(path);
    CHECK(disagreement(entry.tensor, fixture.tensor(path)) <= 1);
    ++compared;
  }
  CHECK(compared > 0);
}

/// One architecture step and one weight step of a stored file, and all that is stored of them.
void check_one_step(const std::string& file, const std::string& strategy,
                    const std::map<std::string, std::string>& options) {
  INFO(file);
  const test::Fixture fixture(file);
  StoredRecurrentSearch search(fixture, strategy, options);
  const double rate = search.real("lr_eta");
  search.problem.states() = {{fixture.tensor("hidden_train").squeeze(0)}, {fixture.tensor("hidden_valid").squeeze(0)}};
  search.set_step(test::StoredLanguageModel::batch(fixture, "train_"),
                  test::StoredLanguageModel::batch(fixture, "valid_"), rate);
  const auto gradient = search.hypergradient().alpha_gradients(search.problem);
  CHECK(disagreement(gradient[0], fixture.tensor("grad_alpha_f64")) <= 1);
  check_state(fixture, *search.model.network, "buffers_after_arch_step", StateKind::buffer);
  search.adam.step(gradient, search.real("arch_lr"));
  CHECK(disagreement(search.model.alphas[0], fixture.tensor("alpha_after_f64")) <= 1);
  CHECK(disagreement(search.problem.train_loss(Wrt::nothing, false), fixture.tensor("train_nll_f64")) <= 1);
  CHECK(search.take_weight_step(rate) == Approx(fixture.tensor("grad_norm_f64").item<double>()).epsilon(1e-9));
  check_state(fixture, *search.model.network, "weights_after", StateKind::parameter);
  check_state(fixture, *search.model.network, "buffers_after", StateKind::buffer);
  CHECK(disagreement(search.problem.states().train[0], fixture.tensor("hidden_train_out_f64").squeeze(0)) <= 1);
  CHECK(disagreement(search.problem.states().valid[0], fixture.tensor("hidden_valid_out_f64").squeeze(0)) <= 1);
}

TEST_CASE("one recurrent step of either order agrees with the published code", "[rnn][parity]") {
  check_one_step("e_rnn_architect_first.h5", "first_order", {});
  check_one_step("e_rnn_architect_second.h5", "second_order", test::kPublishedRecurrent);
  check_one_step("e_rnn_architect_second_clipcoef_gt1.h5", "second_order", test::kPublishedRecurrent);
}

/// What a stored search of some steps is compared by.
struct Trajectory {
  std::vector<at::Tensor> alphas, losses, norms;  // after every step
  std::map<std::string, at::Tensor> weights;      // at the end
  at::Tensor hidden;
};

/// A unit in the last place up or down for every weight.
void disturb(const std::vector<at::Tensor>& weights) {
  const at::NoGradGuard no_grad;
  at::manual_seed(1);
  for (const at::Tensor& weight : weights)
    weight.detach().mul_(1 + (at::randint(0, 2, weight.sizes()).to(at::kDouble) * 2 - 1) * 0x1.0p-52);
}

Trajectory follow(const test::Fixture& fixture, const std::string& order, bool disturbed) {
  StoredRecurrentSearch search(fixture, order + "_order",
                               order == "second" ? test::kPublishedRecurrent : std::map<std::string, std::string>{});
  if (disturbed) disturb(search.problem.weights());
  const at::Tensor train = fixture.tensor("train_tokens"), valid = fixture.tensor("valid_tokens");
  const std::int64_t bptt = search.model.config.find("bptt")->integer;
  const double rate = search.real("lr");
  const auto batch = [&](const at::Tensor& tokens, std::int64_t step) {
    return Batch{tokens.narrow(0, step * bptt, bptt), tokens.narrow(0, step * bptt + 1, bptt)};
  };
  Trajectory found;
  for (std::int64_t step = 0; step < search.model.config.find("steps")->integer; ++step) {
    search.set_step(batch(train, step), batch(valid, step), rate);
    search.adam.step(search.hypergradient().alpha_gradients(search.problem), search.real("arch_lr"));
    found.alphas.push_back(search.model.alphas[0].detach().clone());
    found.losses.push_back(search.problem.train_loss(Wrt::nothing, false).detach());
    found.norms.push_back(at::full({}, search.take_weight_step(rate), at::kDouble));
  }
  for (const StateEntry& entry : search.model.network->state())
    if (entry.kind == StateKind::parameter) found.weights[entry.name] = entry.tensor.detach().clone();
  found.hidden = search.problem.states().train[0];
  return found;
}

/// Steps amplify rounding: how far a search whose weights began a unit in the last place apart has come from this one
/// says by how much. Ten times that is allowed where it is more than the rule of a single step.
void check_followed(const at::Tensor& found, const at::Tensor& disturbed, const at::Tensor& stored) {
  constexpr double kOfOneStep = 1e-9, kRoom = 10, kMost = 1e-6;
  const double apart = (found - disturbed).abs().max().item<double>() / stored.abs().max().item<double>();
  const double allowed = std::max(kOfOneStep, kRoom * apart);
  CHECK(allowed < kMost);
  CHECK(disagreement(found, stored, allowed) <= 1);
}

TEST_CASE("ten recurrent steps with carried states agree with the published code", "[rnn][parity]") {
  const test::Fixture fixture("e_rnn_trajectory.h5");
  for (const std::string order : {"first", "second"}) {
    const Trajectory found = follow(fixture, order, false), apart = follow(fixture, order, true);
    const at::Tensor alphas = fixture.tensor(order + "/alphas_f64"), losses = fixture.tensor(order + "/train_nll_f64"),
                     norms = fixture.tensor(order + "/grad_norm_f64");
    for (std::size_t i = 0; i < found.alphas.size(); ++i) {
      INFO(order << " order, step " << i);
      const auto step = static_cast<std::int64_t>(i);
      check_followed(found.alphas[i], apart.alphas[i], alphas[step]);
      check_followed(found.losses[i], apart.losses[i], losses[step]);
      check_followed(found.norms[i], apart.norms[i], norms[step].squeeze());
    }
    std::size_t compared = 0;
    for (const auto& [name, weight] : found.weights) {
      const std::string path = order + "/weights_final/" + name + "_f64";
      if (!fixture.has(path)) continue;
      INFO(path);
      check_followed(weight, apart.weights.at(name), fixture.tensor(path));
      ++compared;
    }
    CHECK(compared > 0);
    check_followed(found.hidden, apart.hidden, fixture.tensor(order + "/hidden_final_f64").squeeze(0));
  }
}

TEST_CASE("the intended virtual step moves the tied matrix, too, and its gradient is that of differences",
          "[rnn][parity]") {
  const test::Fixture fixture("e_rnn_architect_second.h5");
  const double rate = 0.5;  // a step small enough for the loss to be smooth along it
  const auto prepared = [&](StoredRecurrentSearch& search) {
    search.problem.states() = {{fixture.tensor("hidden_train").squeeze(0)},
                               {fixture.tensor("hidden_valid").squeeze(0)}};
    search.set_step(test::StoredLanguageModel::batch(fixture, "train_"),
                    test::StoredLanguageModel::batch(fixture, "valid_"), rate);
  };
  StoredRecurrentSearch search(fixture, "second_order", {{"epsilon", "1e-5"}});
  prepared(search);
  const at::Tensor found = search.hypergradient().alpha_gradients(search.problem)[0].clone();

  // L_valid(w - rate * (dL_train/dw + decay * w)(alpha), alpha), as a function of alpha alone.
  const at::Tensor alpha = search.model.alphas[0];
  const auto unrolled_loss = [&] {
    std::vector<at::Tensor> saved;
    for (const at::Tensor& weight : search.problem.weights()) saved.push_back(weight.detach().clone());
    const auto gradient = gradients(search.problem.train_loss(Wrt::weights, false), search.problem.weights());
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < saved.size(); ++i)
      search.problem.weights()[i].sub_(rate * (gradient[i] + search.real("wdecay") * saved[i]));
    const double loss = search.problem.valid_loss(Wrt::nothing, false).item<double>();
    for (std::size_t i = 0; i < saved.size(); ++i) search.problem.weights()[i].copy_(saved[i]);
    return loss;
  };
  const auto moved = [&](std::int64_t row, std::int64_t column, double by) {
    const at::NoGradGuard no_grad;
    alpha[row][column].add_(by);
    const double loss = unrolled_loss();
    alpha[row][column].sub_(by);
    return loss;
  };
  const double h = 1e-4;
  for (const auto& [row, column] : {std::pair<std::int64_t, std::int64_t>{0, 1}, {3, 0}, {17, 2}, {35, 4}}) {
    INFO("alpha " << row << ", " << column);
    const double expected = (moved(row, column, h) - moved(row, column, -h)) / (2 * h);
    CHECK(found[row][column].item<double>() == Approx(expected).epsilon(1e-4).margin(1e-9));
  }
}

}  // namespace
