#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "host/search/optimizers.hpp"
#include "host/search/problem.hpp"
#include "mixop/gradients.hpp"
#include "tests/support/recurrent_fixture.hpp"

namespace mixop::test {

/// The recurrent search of a stored file, ready for its first step.
struct StoredRecurrentSearch {
  StoredRecurrentSearch(const Fixture& fixture, const std::string& strategy,
                        const std::map<std::string, std::string>& options = {})
      : model(fixture),
        composition(plugins(), parts_of(plugins(), {strategy, {}}, {{strategy, options}})),
        weights(parameters_of(*model.network), 0, real("wdecay")),
        adam(model.alphas, betas(), real("arch_wdecay")),
        problem(*model.network, model.alphas, composition, weights) {}

  double real(const char* key) const { return model.config.find(key)->number; }
  std::array<double, 2> betas() const {
    const JsonValue* const stored = model.config.find("arch_betas");
    return stored == nullptr ? std::array<double, 2>{0.9, 0.999}
                             : std::array<double, 2>{stored->items[0].number, stored->items[1].number};
  }

  void set_step(Batch train, Batch valid, double rate) {
    problem.set_step({std::move(train), std::move(valid), {}, 0, rate, real("clip")});
  }
  Hypergradient& hypergradient() const { return composition.part<Hypergradient>(); }
  /// The weight step; returns the gradient's norm before clipping.
  double take_weight_step(double rate) {
    auto gradient = gradients(problem.weight_loss(), problem.weights());
    const double norm = norm_of(gradient).item<double>();
    clip(gradient, real("clip"));
    weights.step(gradient, rate);
    problem.finish_step();
    return norm;
  }

  StoredLanguageModel model;
  Composition composition;
  Sgd weights;
  Adam adam;
  SearchProblem problem;
};

/// What the published recurrent search does in its virtual step.
inline const std::map<std::string, std::string> kPublishedRecurrent{
    {"clip", "true"}, {"uncapped", "true"}, {"stale_tied", "true"}};

}  // namespace mixop::test
