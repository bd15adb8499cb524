#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <memory>
#include <string>
#include <vector>

#include "host/graph/operator_catalog.hpp"
#include "host/runtime/network.hpp"
#include "mixop/gradients.hpp"
#include "mixop/space.hpp"
#include "tests/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/plugins.hpp"

namespace mixop::test {

inline Part<SearchSpace> darts_space() { return make_part<SearchSpace>(plugins(), "darts_cnn", {}); }

/// In double precision.
inline const Target in_double{at::kCPU, at::kDouble};

/// Gives a network in double precision the stored weights and buffers.
inline void load_state(const Network& network, const Fixture& fixture) {
  for (const StateEntry& entry : network.state()) {
    const at::NoGradGuard no_grad;
    if (fixture.has("state/" + entry.name))
      entry.tensor.copy_(fixture.tensor("state/" + entry.name));
    else
      REQUIRE(entry.name.find("num_batches_tracked") != std::string::npos);
  }
}

/// Compares a network's parameters or buffers with those stored below `group`; floats have the suffix.
inline void check_state(const Network& network, StateKind kind, const Fixture& fixture, const std::string& group,
                        const std::string& suffix = "_f64") {
  std::size_t compared = 0;
  for (const StateEntry& entry : network.state()) {
    const std::string path = group + "/" + entry.name + (entry.tensor.is_floating_point() ? suffix : "");
    if (entry.kind != kind || !fixture.has(path)) continue;
    INFO(path);
    CHECK(disagreement(entry.tensor, fixture.tensor(path)) <= 1);
    ++compared;
  }
  REQUIRE(compared > 0);
  CHECK(compared == fixture.names(group).size());
}

/// The supernet of a stored file, in double precision and with the file's weights and alphas.
struct StoredSupernet {
  explicit StoredSupernet(const Fixture& fixture) : relaxation(make_part<Relaxation>(plugins(), "softmax", {})) {
    const JsonValue json = fixture.config();
    const auto number = [&](const char* key) { return json.find(key)->integer; };
    SpaceConfig config;
    config.channels = number("C");
    config.layers = number("layers");
    config.classes = number("num_classes");
    const auto& input = json.find("input")->items;
    config.input = {input[0].integer, input[1].integer, input[2].integer};
    config.operations = darts_space()->defaults().operations;
    config.nodes = nodes_for(fixture.tensor("alphas/normal").size(0));
    config.stem = "cifar";
    network = compile(darts_space()->search(config), RegistryCatalog(plugins()), in_double);
    load_state(*network, fixture);
    for (const char* kind : {"normal", "reduce"})
      alphas.push_back(fixture.tensor(std::string("alphas/") + kind).set_requires_grad(true));
  }

  std::vector<Relaxed> relaxed() const {
    std::vector<Relaxed> sets;
    for (const at::Tensor& alpha : alphas) sets.push_back(relaxation->relax(alpha, {}));
    return sets;
  }

  /// Step `step` of the stored batches of a split ("train", "valid").
  static Batch batch(const Fixture& fixture, const std::string& split, std::int64_t step) {
    return {fixture.tensor(split + "_input")[step], fixture.tensor(split + "_target")[step]};
  }

  /// Compares the running statistics with those stored below `group`.
  void check_statistics(const Fixture& fixture, const std::string& group) const {
    check_state(*network, StateKind::buffer, fixture, group);
  }

  static std::int64_t nodes_for(std::int64_t edges) {
    std::int64_t nodes = 0;
    while (edges > 0) edges -= 2 + nodes++;
    return nodes;
  }

  Part<Relaxation> relaxation;
  std::unique_ptr<Network> network;
  std::vector<at::Tensor> alphas;
};

}  // namespace mixop::test
