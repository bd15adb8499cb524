#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "mixop/supernet/layers.hpp"
#include "tests/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/search_fixture.hpp"

namespace {

using namespace mixop;
using test::disagreement;

CellGenotype cell_of(const JsonValue& genotype, const std::string& name) {
  CellGenotype cell{name, {}, {}};
  for (const JsonValue& pair : genotype.find(name)->items)
    cell.genes.push_back(
        {pair.items[0].text, static_cast<int>(pair.items[1].integer), 2 + static_cast<int>(cell.genes.size()) / 2});
  for (const JsonValue& node : genotype.find(name + "_concat")->items)
    cell.concat.push_back(static_cast<int>(node.integer));
  return cell;
}

/// The discrete network of a stored file, in double precision and with the file's weights.
std::unique_ptr<Network> stored_network(const test::Fixture& fixture) {
  const JsonValue json = fixture.config();
  const JsonValue& genotype = *json.find("genotype_value");
  SpaceConfig config;
  config.channels = json.find("C")->integer;
  config.layers = json.find("layers")->integer;
  config.classes = json.find("num_classes")->integer;
  config.auxiliary = json.find("auxiliary")->boolean;
  config.auxiliary_weight = json.find("auxiliary_weight")->number;
  if (json.find("loss")->text.rfind("CrossEntropyLabelSmooth", 0) == 0) config.label_smoothing = 0.1;
  const at::Tensor input = fixture.tensor("input");
  config.input = {input.size(1), input.size(2), input.size(3)};
  auto network = test::darts_space()->network(config, {{cell_of(genotype, "normal"), cell_of(genotype, "reduce")}, {}},
                                              RegistryCatalog(test::plugins()));
  convert(*network, at::kDouble, at::kCPU);
  const at::NoGradGuard no_grad;
  for (const StateEntry& entry : network->state())
    if (entry.name.find("num_batches_tracked") == std::string::npos)
      entry.tensor.detach().copy_(fixture.tensor("state/" + entry.name));
  return network;
}

void check_network(const std::string& file) {
  INFO(file);
  const test::Fixture fixture(test::path_of_optional(file));
  const auto network = stored_network(fixture);
  const Batch batch{fixture.tensor("input"), fixture.tensor("target")};
  Pass evaluation;
  evaluation.training = evaluation.update_statistics = false;
  const auto evaluated = [&] { return network->loss({}, batch, {}, evaluation).output; };
  CHECK(disagreement(evaluated(), fixture.tensor("logits_eval_initial_f64")) <= 1);
  const at::Tensor plain = supernet::cross_entropy(fixture.tensor("logits_eval_initial_f64"), batch.target);
  CHECK(disagreement(network->loss({}, batch, {}, evaluation).loss, plain) <= 1);  // no smoothing, no auxiliary loss

  const Outcome outcome = network->loss({}, batch, {}, {});
  CHECK(disagreement(outcome.output, fixture.tensor("logits_f64")) <= 1);
  CHECK(disagreement(outcome.loss, fixture.tensor("loss_f64")) <= 1);
  CHECK(disagreement(supernet::cross_entropy(outcome.output, batch.target), fixture.tensor("ce_main_f64")) <= 1);
  const std::vector<at::Tensor> found = gradients(outcome.loss, parameters_of(*network));
  const auto names = fixture.list("state_parameter_names");
  REQUIRE(found.size() == names.size());
  std::size_t compared = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    INFO(names[i]);
    if (!fixture.has("grad/" + names[i] + "_f64")) continue;  // the largest one is left out of the repacked file
    ++compared;
    CHECK(disagreement(found[i], fixture.tensor("grad/" + names[i] + "_f64")) <= 1);
  }
  CHECK(compared + 1 >= names.size());
  for (const StateEntry& entry : network->state()) {
    if (entry.kind != StateKind::buffer || !entry.tensor.is_floating_point()) continue;
    INFO(entry.name);
    CHECK(disagreement(entry.tensor, fixture.tensor("state_after/" + entry.name + "_f64")) <= 1);
  }
  CHECK(disagreement(evaluated(), fixture.tensor("logits_eval_after_one_train_forward_f64")) <= 1);
}

TEST_CASE("the discrete CIFAR networks agree with the published code in double precision", "[space][parity]") {
  check_network("d_eval_cifar_DARTS_V1.h5");
  check_network("d_eval_cifar_NASNet.h5");
  check_network("d_eval_cifar_DARTS_V2_aux.h5");
}

TEST_CASE("the discrete ImageNet network with label smoothing agrees with the published code in double precision",
          "[space][parity]") {
  check_network("d_eval_imagenet_DARTS_V2_aux.h5");
}

TEST_CASE("label smoothing spreads its share of the target over all classes", "[space]") {
  const at::Tensor logits = at::randn({5, 7}, at::kDouble), target = at::tensor({0, 6, 3, 3, 1}, at::kLong);
  const at::Tensor wanted = at::one_hot(target, 7).to(at::kDouble).mul(0.9).add(0.1 / 7);
  const at::Tensor expected = wanted.mul(logits.log_softmax(1)).sum(1).mean().neg();
  CHECK(disagreement(supernet::cross_entropy(logits, target, 0.1), expected) <= 1);
  CHECK(disagreement(supernet::cross_entropy(at::zeros({5, 7}, at::kDouble), target, 0.3),
                     at::full({}, std::log(7.0), at::kDouble)) <= 1);
}

}  // namespace
