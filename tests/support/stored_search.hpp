#pragma once

#include <string>
#include <vector>

#include "host/search/optimizers.hpp"
#include "host/search/problem.hpp"
#include "mixop/gradients.hpp"
#include "mixop/strategy.hpp"
#include "tests/support/search_fixture.hpp"

namespace mixop::test {

/// The search of a stored file, ready for its first step.
struct StoredSearch {
  StoredSearch(const Fixture& fixture, const std::string& strategy)
      : config(fixture.config()),
        stored(fixture),
        weights(parameters_of(*stored.network), real("momentum"), real("weight_decay")),
        adam(stored.alphas, {config.find("arch_betas")->items[0].number, config.find("arch_betas")->items[1].number},
             real("arch_weight_decay")),
        composition(plugins(), parts_of(plugins(), {strategy, {}})),
        problem(*stored.network, stored.alphas, composition, weights) {
    const auto names = fixture.list("state_parameter_names");
    for (std::size_t i = 0; i < names.size(); ++i) weights.momenta()[i].copy_(fixture.tensor("momentum/" + names[i]));
  }

  double real(const char* key) const { return config.find(key)->number; }
  Hypergradient& hypergradient() const { return composition.part<Hypergradient>(); }

  /// Turns to step `step` of the stored batches; -1 where the file holds one pair of batches alone.
  void set_step(const Fixture& fixture, std::int64_t step) {
    const auto batch = [&](const std::string& split) {
      return step < 0 ? Batch{fixture.tensor(split + "_input"), fixture.tensor(split + "_target")}
                      : StoredSupernet::batch(fixture, split, step);
    };
    problem.set_step({batch("train"), batch("valid"), {}, 0, real("lr"), real("grad_clip")});
  }

  /// Compares the weights with those stored below `group`.
  void check_weights(const Fixture& fixture, const std::string& group, const std::string& suffix) const {
    check_state(*stored.network, StateKind::parameter, fixture, group, suffix);
  }

  JsonValue config;
  StoredSupernet stored;
  Sgd weights;
  Adam adam;
  Composition composition;
  SearchProblem problem;
};

/// All entries of some tensors, one after another.
inline at::Tensor flat(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& tensor : tensors) parts.push_back(tensor.detach().flatten());
  return at::cat(parts);
}

/// Runs the stored alternating steps of `group` and compares all that is stored of each.
inline void check_steps(const Fixture& fixture, StoredSearch& search, const std::string& group) {
  const at::Tensor losses = fixture.tensor(group + "/train_loss_f64"), norms = fixture.tensor(group + "/grad_norm_f64"),
                   alpha_gradients = fixture.tensor(group + "/grad_alpha_f64");
  for (std::int64_t step = 0; step < search.config.find("steps")->integer; ++step) {
    INFO("step " << step);
    search.set_step(fixture, step);
    const auto gradient = search.hypergradient().alpha_gradients(search.problem);
    CHECK(disagreement(flat(gradient), alpha_gradients[step]) <= 1);
    search.adam.step(gradient, search.real("arch_lr"));
    CHECK(disagreement(search.stored.alphas[0], fixture.tensor(group + "/alpha_normal_f64")[step]) <= 1);
    CHECK(disagreement(search.stored.alphas[1], fixture.tensor(group + "/alpha_reduce_f64")[step]) <= 1);

    const at::Tensor loss = search.problem.weight_loss();
    CHECK(disagreement(loss, losses[step]) <= 1);
    auto weight_gradients = gradients(loss, search.problem.weights());
    CHECK(std::abs(norm_of(weight_gradients).item<double>() - norms[step].item<double>()) < 1e-8);
    clip(weight_gradients, search.real("grad_clip"));
    search.weights.step(weight_gradients, search.real("lr"));
    const std::string after = group + "/weights_after_step0";
    if (step == 0 && fixture.has(after)) search.check_weights(fixture, after, "_f64");
  }
  search.check_weights(fixture, group + "/weights_final_f64", "");
}

}  // namespace mixop::test
