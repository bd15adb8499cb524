#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/search/baseline.hpp"
#include "host/search/optimizers.hpp"
#include "host/search/problem.hpp"
#include "tests/support/search_fixture.hpp"
#include "tests/support/stored_search.hpp"

namespace mixop::test {

/// The supernet of a stored file with alphas for every cell, in double precision and with the file's weights.
struct StoredCellwise {
  StoredCellwise(const Fixture& fixture, const std::string& name, const std::string& images,
                 const std::string& baseline)
      : config(fixture.config()),
        space(make_part<SearchSpace>(plugins(), name, {})),
        relaxation(make_part<Relaxation>(plugins(), "sigmoid", {})),
        alphas{fixture.tensor("alphas").set_requires_grad(true)} {
    const at::Tensor input = fixture.tensor(images);
    SpaceConfig keys;
    keys.channels = integer("C");
    keys.layers = integer("layers");
    keys.classes = integer("num_classes");
    keys.nodes = integer("steps");
    keys.input = {input.size(1), input.size(2), input.size(3)};
    keys.operations = space->defaults().operations;
    keys.stem = "cifar";
    set_baseline(keys, baseline, *space, name);
    network = compile(space->search(keys), RegistryCatalog(plugins()), in_double);
    load_state(*network, fixture);
  }

  std::int64_t integer(const char* key) const { return config.find(key)->integer; }
  double real(const char* key) const { return config.find(key)->number; }

  JsonValue config;
  Part<SearchSpace> space;
  Part<Relaxation> relaxation;
  std::unique_ptr<Network> network;
  std::vector<at::Tensor> alphas;
};

/// Hands everything on, but draws stored numbers, and keeps the loss of every validation pass.
class StoredDraws final : public BilevelProblem {
 public:
  explicit StoredDraws(BilevelProblem& problem) : problem_(problem) {}
  const std::vector<at::Tensor>& weights() const override { return problem_.weights(); }
  const std::vector<at::Tensor>& alphas() const override { return problem_.alphas(); }
  const std::vector<std::size_t>& tied_weights() const override { return problem_.tied_weights(); }
  std::vector<Relaxed> edge_weights(Wrt leaves) override { return problem_.edge_weights(leaves); }
  at::Tensor loss(const std::vector<Relaxed>& edge_weights, const LossPass& pass) override {
    const at::Tensor value = problem_.loss(edge_weights, pass);
    if (pass.half == Half::valid) valid_losses.push_back(value.item<double>());
    if (pass.half == Half::valid && pass.update_statistics) ++updates;
    return value;
  }
  at::Tensor alpha_term(const std::vector<Relaxed>& edge_weights) override {
    return problem_.alpha_term(edge_weights);
  }
  at::Tensor uniform(const at::Tensor& like, std::uint64_t draw) override {
    return draws.defined() ? draws[static_cast<std::int64_t>(draw)] : problem_.uniform(like, draw);
  }
  WeightStep weight_step() const override { return problem_.weight_step(); }

  at::Tensor draws;  ///< [cells, edges, operations]; undefined: the problem's own
  std::vector<double> valid_losses;
  int updates = 0;

 private:
  BilevelProblem& problem_;
};

/// The D-DARTS search of the stored file, ready for its first step.
struct StoredCellwiseSearch {
  StoredCellwiseSearch(const Fixture& fixture, const std::map<std::string, std::string>& options)
      : stored(fixture, "ddarts", "train_input", ""),
        weights(parameters_of(*stored.network), stored.real("momentum"), stored.real("weight_decay")),
        adam(stored.alphas,
             {stored.config.find("arch_betas")->items[0].number, stored.config.find("arch_betas")->items[1].number},
             stored.real("arch_weight_decay")),
        composition(plugins(), parts_of(plugins(), {"ddarts", {}}, {{"ddarts", options}})),
        own(*stored.network, stored.alphas, composition, weights),
        problem(own) {
    set_step(fixture, "");
  }

  Hypergradient& hypergradient() const { return composition.part<Hypergradient>(); }
  /// Turns to the stored batches and draws of the first ("") or the second ("2") step.
  void set_step(const Fixture& fixture, const std::string& which) {
    const auto batch = [&](const std::string& split) {
      return Batch{fixture.tensor(split + "_input" + which), fixture.tensor(split + "_target" + which)};
    };
    own.set_step({batch("train"), batch("valid"), {}, 0, stored.real("lr"), stored.real("grad_clip")});
    problem.draws = fixture.tensor("ablation_random" + which);
    problem.valid_losses.clear();
  }

  StoredCellwise stored;
  Sgd weights;
  Adam adam;
  Composition composition;
  SearchProblem own;
  StoredDraws problem;
};

}  // namespace mixop::test
