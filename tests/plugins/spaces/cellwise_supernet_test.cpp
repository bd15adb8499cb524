#include <ATen/ATen.h>

#include "tests/catch.hpp"
#include "tests/support/cellwise_search.hpp"

namespace {

using namespace mixop;
using test::disagreement;
using test::StoredCellwise;
using Tensors = std::vector<at::Tensor>;

EdgeWeights edge_weights(const StoredCellwise& stored) {
  return expand(stored.network->alphas(), {stored.relaxation->weights(stored.alphas[0], {}, 0)});
}

void check_names(const test::Fixture& fixture, const Network& network) {
  std::vector<std::string> parameters, buffers;
  for (const StateEntry& entry : network.state())
    (entry.kind == StateKind::parameter ? parameters : buffers).push_back(entry.name);
  CHECK(parameters == fixture.list("state_parameter_names"));
  CHECK(buffers == fixture.list("state_buffer_names"));
}

TEST_CASE("the D-DARTS supernet agrees with the published code in double precision", "[ddarts][space][parity]") {
  const test::Fixture fixture("g_ddarts_supernet.h5");
  StoredCellwise stored(fixture, "ddarts", "train_input", "");
  check_names(fixture, *stored.network);
  const Outcome outcome = stored.network->loss(edge_weights(stored),
                                               {fixture.tensor("train_input"), fixture.tensor("train_target")}, {}, {});
  CHECK(disagreement(outcome.output, fixture.tensor("clean/train_logits_f64")) <= 1);
  CHECK(disagreement(outcome.loss, fixture.tensor("clean/train_ce_f64")) <= 1);
  test::check_state(*stored.network, StateKind::buffer, fixture, "clean/state_after_train_forward");

  Tensors leaves = parameters_of(*stored.network);
  leaves.push_back(stored.alphas[0]);
  const Tensors found = gradients(outcome.loss, leaves);
  const auto names = fixture.list("state_parameter_names");
  REQUIRE(found.size() == names.size() + 1);
  std::size_t compared = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string path = "clean/train_grad/" + names[i] + "_f64";
    if (!fixture.has(path)) continue;
    INFO(names[i]);
    CHECK(disagreement(found[i], fixture.tensor(path)) <= 1);
    ++compared;
  }
  CHECK(compared > 0);
}

TEST_CASE("the supernet of a baseline agrees with the published code in double precision", "[ddarts][space][parity]") {
  const test::Fixture fixture("g_baseline_supernet_ResNet18.h5");
  StoredCellwise stored(fixture, "dartopti", "input", "ResNet18");
  check_names(fixture, *stored.network);
  const auto& declaration = stored.network->alphas().front();
  CHECK(at::equal(declaration.start.to(at::kDouble), stored.alphas[0]));
  CHECK(declaration.reductions == std::vector<int>{1, 2, 3});
  const Outcome outcome =
      stored.network->loss(edge_weights(stored), {fixture.tensor("input"), fixture.tensor("target")}, {}, {});
  CHECK(disagreement(outcome.output, fixture.tensor("logits_f64")) <= 1);
  CHECK(disagreement(outcome.loss, fixture.tensor("loss_f64")) <= 1);
  const auto state = test::by_name(stored.network->state());
  const Tensors found =
      gradients(outcome.loss, {stored.alphas[0], state.at("stem.0.weight"), state.at("classifier.weight")});
  CHECK(disagreement(found[0], fixture.tensor("grad_alpha_f64")) <= 1);
  CHECK(disagreement(found[1], fixture.tensor("grad_stem.0.weight_f64")) <= 1);
  CHECK(disagreement(found[2], fixture.tensor("grad_classifier.weight_f64")) <= 1);
}

TEST_CASE("supernets with alphas for every cell have their published sizes", "[ddarts][space]") {
  const JsonValue facts = parse_json_file(test::path_of_optional("facts_ddarts.json"), ErrorCode::bad_data);
  const auto transform = make_part<EdgeTransform>(test::plugins(), "none", {});
  for (const JsonMember& row : facts.find("supernets")->members) {
    INFO(row.key);
    const std::string name = row.key.substr(0, row.key.find('_'));
    const bool from_baseline = name != "D-DARTS";
    const auto space = make_part<SearchSpace>(test::plugins(), from_baseline ? "dartopti" : "ddarts", {});
    SpaceConfig config;
    config.channels = std::stoll(row.key.substr(row.key.find("_C") + 2));
    config.layers = row.value.find("cells")->integer;
    config.operations = space->default_operations();
    const auto& shape = row.value.find("alphas")->items;
    config.nodes = test::StoredSupernet::nodes_for(shape[1].integer);
    set_baseline(config, from_baseline ? name : "", *space, "dartopti");
    const auto network = space->supernet(config, RegistryCatalog(test::plugins()), *transform);
    CHECK(network->cost().parameters == row.value.find("params")->integer);
    CHECK(network->cost().multiply_adds == row.value.find("macs")->integer);
    const AlphaDeclaration& alphas = network->alphas().front();
    CHECK(alphas.shape() == std::vector<std::int64_t>{shape[0].integer, shape[1].integer, shape[2].integer});
    std::vector<int> reductions;
    for (const JsonValue& position : row.value.find("reductions")->items)
      reductions.push_back(static_cast<int>(position.integer));
    CHECK(alphas.reductions == reductions);
  }
}

TEST_CASE("a supernet with alphas for every cell refuses what it cannot build", "[ddarts][space][misuse]") {
  const auto space = make_part<SearchSpace>(test::plugins(), "ddarts", {});
  SpaceConfig config;
  config.operations = space->default_operations();
  config.nodes = 0;
  CHECK_THROWS_WITH(space->alphas(config), "space.nodes: expected at least 1, found 0");
  config.nodes = 4;
  config.layers = 0;
  CHECK_THROWS_WITH(space->alphas(config), "space.layers: expected at least 1, found 0");
  config.layers = 2;
  config.operations.push_back("skip_connect");
  CHECK_THROWS_WITH(space->alphas(config), "space.ops: 'skip_connect' stands in the list twice");
}

}  // namespace
