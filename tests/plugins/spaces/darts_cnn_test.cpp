#include <ATen/ATen.h>

#include "mixop/space.hpp"
#include "tests/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/search_fixture.hpp"

namespace {

using namespace mixop;
using test::disagreement;

SpaceConfig darts_config() {
  SpaceConfig config;
  config.operations = test::darts_space()->default_operations();
  return config;
}

std::int64_t supernet_parameters(const SpaceConfig& config) {
  const auto transform = make_part<EdgeTransform>(test::plugins(), "none", {});
  return test::darts_space()->supernet(config, RegistryCatalog(test::plugins()), *transform)->cost().parameters;
}

TEST_CASE("the DARTS supernet agrees with the published code in double precision", "[space][parity]") {
  const test::Fixture fixture("b_supernet.h5");
  test::StoredSupernet stored(fixture);
  std::vector<at::Tensor> trace;
  Pass pass;
  pass.trace = &trace;

  const std::vector<Relaxed> edges = stored.relaxed();
  const Batch batch{fixture.tensor("input"), fixture.tensor("target")};
  const Outcome outcome = stored.network->loss(edges, batch, {}, pass);
  CHECK(disagreement(outcome.output, fixture.tensor("logits_f64")) <= 1);
  CHECK(disagreement(outcome.loss, fixture.tensor("loss_f64")) <= 1);
  CHECK(disagreement(trace.at(0), fixture.tensor("stem_out"), 1e-5) <= 1);
  REQUIRE(trace.size() == 1 + fixture.names("cell_out").size());
  for (std::size_t i = 1; i < trace.size(); ++i)
    CHECK(disagreement(trace[i], fixture.tensor("cell_out/" + std::to_string(i - 1)), 1e-5) <= 1);

  std::vector<at::Tensor> leaves = parameters_of(*stored.network);
  leaves.insert(leaves.end(), stored.alphas.begin(), stored.alphas.end());
  const std::vector<at::Tensor> found = gradients(outcome.loss, leaves);
  const auto names = fixture.list("state_parameter_names");
  REQUIRE(found.size() == names.size() + 2);
  for (std::size_t i = 0; i < names.size(); ++i) {
    INFO(names[i]);
    CHECK(disagreement(found[i], fixture.tensor("grad/" + names[i] + "_f64")) <= 1);
  }
  CHECK(disagreement(found[names.size()], fixture.tensor("grad_alpha/normal_f64")) <= 1);
  CHECK(disagreement(found[names.size() + 1], fixture.tensor("grad_alpha/reduce_f64")) <= 1);

  stored.check_statistics(fixture, "state_after");
  Pass evaluation;
  evaluation.training = evaluation.update_statistics = false;
  CHECK(disagreement(stored.network->loss(edges, batch, {}, evaluation).output,
                     fixture.tensor("logits_eval_after_one_train_forward_f64")) <= 1);
}

TEST_CASE("a supernet's state has the published names in the published order", "[space][parity]") {
  const test::Fixture fixture("b_supernet.h5");
  const test::StoredSupernet stored(fixture);
  std::vector<std::string> parameters, buffers;
  for (const StateEntry& entry : stored.network->state())
    (entry.kind == StateKind::parameter ? parameters : buffers).push_back(entry.name);
  CHECK(parameters == fixture.list("state_parameter_names"));
  CHECK(buffers == fixture.list("state_buffer_names"));
}

TEST_CASE("a pass that updates no statistics leaves every buffer alone", "[space]") {
  const test::Fixture fixture("c_small_steps.h5");
  test::StoredSupernet stored(fixture);
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : test::by_name(stored.network->state())) before[name] = tensor.detach().clone();
  Pass pass;
  pass.update_statistics = false;
  (void)stored.network->loss(stored.relaxed(), stored.batch(fixture, "train", 0), {}, pass);
  for (const auto& [name, tensor] : test::by_name(stored.network->state())) CHECK(at::equal(tensor, before[name]));
}

TEST_CASE("the supernet of the paper has its published size", "[space]") {
  SpaceConfig config = darts_config();
  CHECK(supernet_parameters(config) == 1930618);
  config.classes = 100;
  CHECK(supernet_parameters(config) == 1953748);
  config.classes = 10;
  config.layers = 5;
  CHECK(supernet_parameters(config) == 1275834);
}

TEST_CASE("each alpha set drives its kind of cell", "[space]") {
  const auto alphas = test::darts_space()->alphas(darts_config());
  REQUIRE(alphas.size() == 2);
  CHECK(alphas[0].name == "alphas_normal");
  CHECK(alphas[0].cells == std::vector<int>{0, 1, 3, 4, 6, 7});
  CHECK(alphas[1].cells == std::vector<int>{2, 5});
  CHECK(alphas[1].topology.edges.size() == 14);
}

TEST_CASE("a config that the space cannot build is refused with the key and the value", "[space][misuse]") {
  const auto refusal = [](const std::function<void(SpaceConfig&)>& change) {
    SpaceConfig config = darts_config();
    config.channels = 4;
    config.layers = 2;
    change(config);
    try {
      (void)supernet_parameters(config);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(refusal([](SpaceConfig& c) { c.channels = 1; }), Contains("space.channels: expected at least 2, found 1"));
  CHECK_THAT(refusal([](SpaceConfig& c) { c.layers = 0; }), Contains("space.layers: expected at least 1, found 0"));
  CHECK_THAT(refusal([](SpaceConfig& c) { c.nodes = 0; }), Contains("space.nodes: expected at least 1, found 0"));
  CHECK_THAT(refusal([](SpaceConfig& c) { c.classes = 1; }), Contains("expected at least 2 classes, found 1"));
  CHECK_THAT(refusal([](SpaceConfig& c) { c.operations.clear(); }),
             Contains("space.ops: expected at least one candidate"));
  CHECK_THAT(refusal([](SpaceConfig& c) { c.operations.push_back("none"); }),
             Contains("'none' stands in the list twice"));
  CHECK_THAT(refusal([](SpaceConfig& c) { c.operations.push_back("sep_conv_3x4"); }),
             Contains("sep_conv_3x4") && Contains("sep_conv_3x3"));
  CHECK_THAT(refusal([](SpaceConfig& c) { c.input = {3, 2, 32}; }), Contains("at least 4 pixels a side, found 2x32"));
  CHECK_THAT(refusal([](SpaceConfig& c) { c.stem = "cifar100"; }),
             Contains("space.stem: expected auto, cifar or imagenet"));
}

TEST_CASE("a genotype that makes no network is refused with the cell and the reason", "[space][misuse]") {
  const auto refusal = [](const std::function<void(Genotype&)>& change) {
    Genotype genotype = test::darts_space()->genotypes().front().genotype;
    change(genotype);
    SpaceConfig config = darts_config();
    config.layers = 3;
    try {
      (void)test::darts_space()->network(config, genotype, RegistryCatalog(test::plugins()));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(refusal([](Genotype& g) { g.cells.pop_back(); }), Contains("'reduce' is missing"));
  CHECK_THAT(refusal([](Genotype& g) { g.cells[0].genes.clear(); }), Contains("cell 'normal' has no operations"));
  CHECK_THAT(refusal([](Genotype& g) { g.cells[0].genes[0].from = 7; }), Contains("it must come from an earlier node"));
  CHECK_THAT(refusal([](Genotype& g) { g.cells[0].concat.push_back(99); }), Contains("concat names node 99"));
  CHECK_THAT(
      refusal([](Genotype& g) { g.cells[1].genes.erase(g.cells[1].genes.begin(), g.cells[1].genes.begin() + 2); }),
      Contains("cell 'reduce'"));
}

TEST_CASE("the CIFAR networks of the published genotypes have their published sizes", "[space]") {
  const JsonValue facts = parse_json_file(test::path_of_optional("facts.json"), ErrorCode::bad_data);
  const JsonValue& cifar = *facts.find("cnn")->find("cifar");
  REQUIRE(cifar.members.size() >= 5);
  for (const JsonMember& row : cifar.members) {
    INFO(row.key);
    SpaceConfig config;
    config.channels = row.value.find("C")->integer;
    config.layers = row.value.find("layers")->integer;
    config.classes = row.value.find("num_classes")->integer;
    const NamedGenotype* named = nullptr;
    for (const NamedGenotype& candidate : test::darts_space()->genotypes())
      if (candidate.name == row.key) named = &candidate;
    REQUIRE(named != nullptr);
    config.auxiliary = true;
    const auto network = test::darts_space()->network(config, named->genotype, RegistryCatalog(test::plugins()));
    CHECK(network->cost().parameters == row.value.find("params_no_aux")->integer);
    CHECK(network->cost().parameters + network->auxiliary_parameters() == row.value.find("params_with_aux")->integer);
    CHECK(network->cost().multiply_adds == row.value.find("macs")->integer);
    CHECK(static_cast<std::int64_t>(network->state().size()) == row.value.find("state_dict_entries")->integer);
  }
}

TEST_CASE("the auxiliary head adds to the training loss alone, and drop-path follows the key", "[space]") {
  SpaceConfig config;
  config.channels = 4;
  config.layers = 3;
  config.auxiliary = true;
  at::manual_seed(3);
  const auto network = test::darts_space()->network(config, test::darts_space()->genotypes()[3].genotype,
                                                    RegistryCatalog(test::plugins()));
  const Batch batch{at::randn({4, 3, 32, 32}), at::tensor({1, 2, 3, 4}, at::kLong)};
  Pass pass;
  pass.update_statistics = false;
  const auto with = network->loss({}, batch, {}, pass);
  const double main_loss = at::cross_entropy_loss(with.output, batch.target).item<double>();
  CHECK(with.loss.item<double>() > main_loss + 0.1);

  pass.drop_path = 0.5;
  pass.key = 7;
  const at::Tensor first = network->loss({}, batch, {}, pass).output, again = network->loss({}, batch, {}, pass).output;
  pass.key = 8;
  const at::Tensor other = network->loss({}, batch, {}, pass).output;
  CHECK(at::equal(first, again));
  CHECK_FALSE(at::equal(first, other));
}

}  // namespace
