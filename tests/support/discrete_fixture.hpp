#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "host/graph/operator_catalog.hpp"
#include "host/runtime/loss.hpp"
#include "host/runtime/network.hpp"
#include "mixop/gradients.hpp"
#include "mixop/space.hpp"
#include "tests/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/plugins.hpp"

namespace mixop::test {

/// The discrete network of a stored file, in double precision and with the file's weights.
inline std::unique_ptr<Network> stored_network(const Fixture& fixture, const SearchSpace& space,
                                               const Genotype& genotype) {
  const JsonValue json = fixture.config();
  SpaceConfig config;
  config.channels = json.find("C")->integer;
  config.layers = json.find("layers")->integer;
  config.classes = json.find("num_classes")->integer;
  config.auxiliary = json.find("auxiliary")->boolean;
  if (const JsonValue* weight = json.find("auxiliary_weight")) config.auxiliary_weight = weight->number;
  const JsonValue* loss = json.find("loss");
  if (loss != nullptr && loss->text.rfind("CrossEntropyLabelSmooth", 0) == 0) config.label_smoothing = 0.1;
  const at::Tensor input = fixture.tensor("input");
  config.input = {input.size(1), input.size(2), input.size(3)};
  auto network = compile(space.network(config, genotype), RegistryCatalog(plugins()), {at::kCPU, at::kDouble});
  const at::NoGradGuard no_grad;
  for (const StateEntry& entry : network->state())
    if (entry.name.find("num_batches_tracked") == std::string::npos)
      entry.tensor.detach().copy_(fixture.tensor("state/" + entry.name));
  return network;
}

inline Pass evaluation_pass() {
  Pass pass;
  pass.training = pass.update_statistics = false;
  return pass;
}

/// Compares the names of parameters, the evaluation, the loss and its gradients, of which a repacked file holds a part.
/// The network has seen its batch once afterwards.
inline void check_stored_network(const Fixture& fixture, Network& network) {
  const Batch batch{fixture.tensor("input"), fixture.tensor("target")};
  const Outcome evaluated = network.loss({}, batch, {}, evaluation_pass());
  CHECK(disagreement(evaluated.output, fixture.tensor("logits_eval_initial_f64")) <= 1);
  const at::Tensor plain = cross_entropy(fixture.tensor("logits_eval_initial_f64"), batch.target);
  CHECK(disagreement(evaluated.loss, plain) <= 1);  // no smoothing, no auxiliary loss

  const Outcome outcome = network.loss({}, batch, {}, {});
  CHECK(disagreement(outcome.output, fixture.tensor("logits_f64")) <= 1);
  CHECK(disagreement(outcome.loss, fixture.tensor("loss_f64")) <= 1);
  const auto names = fixture.list("state_parameter_names");
  std::vector<std::string> own;
  for (const StateEntry& entry : network.state())
    if (entry.kind == StateKind::parameter) own.push_back(entry.name);
  REQUIRE(own == names);
  std::vector<std::string> unused;
  if (fixture.has("unused_parameters")) unused = fixture.list("unused_parameters");
  const std::vector<at::Tensor> found = gradients(outcome.loss, parameters_of(network));
  std::size_t compared = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    INFO(names[i]);
    if (std::count(unused.begin(), unused.end(), names[i]) > 0) CHECK(found[i].abs().max().item<double>() == 0);
    if (!fixture.has("grad/" + names[i] + "_f64")) continue;
    ++compared;
    CHECK(disagreement(found[i], fixture.tensor("grad/" + names[i] + "_f64")) <= 1);
  }
  CHECK(compared > 0);
  CHECK(compared == fixture.names("grad").size());
}

/// Compares the running statistics behind that batch, and the evaluation by them.
inline void check_stored_statistics(const Fixture& fixture, Network& network) {
  for (const StateEntry& entry : network.state()) {
    if (entry.kind != StateKind::buffer || !entry.tensor.is_floating_point()) continue;
    INFO(entry.name);
    CHECK(disagreement(entry.tensor, fixture.tensor("state_after/" + entry.name + "_f64")) <= 1);
  }
  const Batch batch{fixture.tensor("input"), fixture.tensor("target")};
  CHECK(disagreement(network.loss({}, batch, {}, evaluation_pass()).output,
                     fixture.tensor("logits_eval_after_one_train_forward_f64")) <= 1);
}

}  // namespace mixop::test
