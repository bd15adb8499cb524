#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <memory>
#include <string>
#include <vector>

#include "host/plugins/operator_catalog.hpp"
#include "host/search/problem.hpp"
#include "mixop/space.hpp"
#include "tests/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/plugins.hpp"

namespace mixop::test {

/// The language model of a stored file, in double precision and with the file's weights.
struct StoredLanguageModel {
  explicit StoredLanguageModel(const Fixture& fixture)
      : config(fixture.config()),
        space(make_part<SearchSpace>(plugins(), "darts_rnn", options_of(config))),
        transform(make_part<EdgeTransform>(plugins(), "none", {})) {
    SpaceConfig spec;
    spec.width = config.find("nhid")->integer;
    spec.classes = config.find("ntoken")->integer;
    spec.nodes = config.find("STEPS")->integer;
    for (const JsonValue& item : config.find("primitives")->items) spec.operations.push_back(item.text);
    const RegistryCatalog operators(plugins());
    network = config.find("genotype") == nullptr
                  ? space->supernet(spec, operators, *transform)
                  : space->network(spec, genotype_of(*config.find("genotype_value")), operators);
    convert(*network, at::kDouble, at::kCPU);
    const at::NoGradGuard no_grad;
    for (const StateEntry& entry : network->state())
      if (fixture.has("state/" + entry.name)) entry.tensor.copy_(fixture.tensor("state/" + entry.name));
    if (fixture.has("alphas")) alphas.push_back(fixture.tensor("alphas").set_requires_grad(true));
  }

  static ComponentOptions options_of(const JsonValue& config) {
    std::map<std::string, std::string> options;
    for (const char* name : {"dropout", "dropouth", "dropoutx", "dropouti", "dropoute"})
      options[name] = std::to_string(config.find(name)->number);
    options["running_statistics"] = "true";
    return {{"darts_rnn", options}};
  }
  static Genotype genotype_of(const JsonValue& stored) {
    CellGenotype cell{"recurrent", {}, {}, 1};
    for (const JsonValue& gene : stored.find("recurrent")->items)
      cell.genes.push_back(
          {gene.items[0].text, static_cast<int>(gene.items[1].integer), 1 + static_cast<int>(cell.genes.size())});
    for (const JsonValue& node : stored.find("concat")->items) cell.concat.push_back(static_cast<int>(node.integer));
    return {{cell}};
  }

  /// Input and target, both [time, N], under the names with `prefix`.
  static Batch batch(const Fixture& fixture, const std::string& prefix = "") {
    const at::Tensor input = fixture.tensor(prefix + "input");
    return {input, fixture.tensor(prefix + "target").view(input.sizes())};
  }

  EdgeWeights edge_weights() const { return alphas.empty() ? EdgeWeights{} : EdgeWeights{at::softmax(alphas[0], -1)}; }

  /// Weights and alphas, by the names of the file.
  std::vector<std::pair<std::string, at::Tensor>> leaves() const {
    std::vector<std::pair<std::string, at::Tensor>> named;
    for (const StateEntry& entry : network->state())
      if (entry.kind == StateKind::parameter && entry.name != "decoder.weight")
        named.emplace_back(entry.name, entry.tensor);
    if (!alphas.empty()) named.emplace_back("alphas", alphas[0]);
    return named;
  }

  JsonValue config;
  Part<SearchSpace> space;
  Part<EdgeTransform> transform;
  std::unique_ptr<Network> network;
  std::vector<at::Tensor> alphas;
};

}  // namespace mixop::test
