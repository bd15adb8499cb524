#include <ATen/ATen.h>

#include <numeric>
#include <set>

#include "host/genotype/genotype_json.hpp"
#include "tests/support/discrete_fixture.hpp"

namespace {

using namespace mixop;

Part<SearchSpace> space(const std::string& name) { return make_part<SearchSpace>(test::plugins(), name, {}); }

Genotype published(const std::string& name) {
  for (const char* of : {"ddarts", "dartopti"})
    for (const NamedGenotype& named : space(of)->genotypes())
      if (named.name == name) return named.genotype;
  FAIL("no genotype " << name);
  return {};
}

/// One cell a list of genes; two reductions and four nodes.
Genotype listed(const std::vector<std::vector<Gene>>& cells, const std::vector<int>& concat = {2, 3, 4, 5}) {
  Genotype genotype;
  for (const auto& genes : cells) genotype.cells.push_back({std::to_string(genotype.cells.size()), genes, concat});
  genotype.reductions = std::vector<int>{1};
  return genotype;
}

std::vector<Gene> small_cell() { return {{"simple_conv_1x1", 0, 2}, {"skip_connect", 1, 2}}; }

std::unique_ptr<Network> build(const Genotype& genotype, std::int64_t layers, SpaceConfig config = {}) {
  config.channels = 4;
  config.layers = layers;
  return space("ddarts")->network(config, genotype, RegistryCatalog(test::plugins()));
}

std::string problem(const Genotype& genotype, std::int64_t layers = 1) {
  try {
    build(genotype, layers);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::usage);
    return error.what();
  }
  return "";
}

std::vector<std::string> parameter_names(const Network& network) {
  std::vector<std::string> names;
  for (const StateEntry& entry : network.state())
    if (entry.kind == StateKind::parameter) names.push_back(entry.name);
  return names;
}

void check_network(const std::string& file) {
  INFO(file);
  const test::Fixture fixture(test::path_of_optional(file));
  const Genotype genotype = genotype_of_keys(fixture.config(), file, ErrorCode::bad_data);
  const auto network = test::stored_network(fixture, *space("dartopti"), genotype);
  test::check_stored_network(fixture, *network);
}

TEST_CASE("discrete D-DARTS networks agree with the published code in double precision", "[space][parity]") {
  check_network("g_eval_ddarts_sparse_cifar10.h5");
  check_network("g_eval_ddarts_sparse_cifar10_derived14.h5");
}

TEST_CASE("discrete DARTOpti networks and baselines agree with the published code in double precision",
          "[space][parity]") {
  check_network("g_eval_baseline_ResNet18.h5");
  check_network("g_eval_resnet18_cifar10_sparse.h5");
}

TEST_CASE("the published genotypes are those of the stored facts", "[space][parity]") {
  const JsonValue facts = parse_json_file(test::path_of_optional("facts_ddarts.json"), ErrorCode::bad_data);
  std::size_t compared = 0;
  for (const char* group : {"shipped_genotypes", "baselines"})
    for (const JsonMember& member : facts.find(group)->members) {
      INFO(member.key);
      const Genotype stored =
          genotype_of_keys(*member.value.find("genotype"), "facts_ddarts.json", ErrorCode::bad_data);
      CHECK(published(member.key) == stored);
      ++compared;
    }
  CHECK(compared == space("ddarts")->genotypes().size() + space("dartopti")->genotypes().size());
}

TEST_CASE("deeper networks take the searched cells by the published rule", "[space][parity]") {
  // Every cell has an operation of its own kernel and depth, so that the parameters tell which cell stands where.
  std::vector<std::vector<Gene>> cells;
  const char* operations[] = {"sep_conv_3x3", "sep_conv_5x5",    "dil_conv_3x3",    "dil_conv_5x5",
                              "conv_7x1_1x7", "simple_conv_1x1", "simple_conv_3x3", "bottleneck_1x3x1"};
  for (const char* operation : operations) cells.push_back({{operation, 1, 2}, {operation, 0, 2}});
  const auto fingerprint = [](const Network& network, std::size_t cell) {
    std::string print;
    const std::string prefix = "cells." + std::to_string(cell) + "._ops.";
    for (const StateEntry& entry : network.state())
      if (entry.name.rfind(prefix, 0) == 0 && entry.tensor.dim() == 4)
        print += std::to_string(entry.tensor.size(2)) + "x" + std::to_string(entry.tensor.size(3)) + "/" +
                 std::to_string(entry.tensor.size(0) / entry.tensor.size(1)) + " ";
    return print;
  };
  Genotype genotype = listed(cells, {2});
  genotype.reductions = std::vector<int>{};  // so that all cells are alike but for their operations
  const auto searched = build(genotype, 8);
  const JsonValue rows = parse_json_file(test::path_of_optional("ddarts_derivation_index.json"), ErrorCode::bad_data);
  for (const JsonMember& row : rows.members) {
    INFO(row.key);
    const auto deeper = build(genotype, static_cast<std::int64_t>(row.value.items.size()));
    for (std::size_t i = 0; i < row.value.items.size(); ++i) {
      INFO("position " << i);
      CHECK(fingerprint(*deeper, i) == fingerprint(*searched, static_cast<std::size_t>(row.value.items[i].integer)));
    }
  }
  REQUIRE(rows.members.size() >= 10);
}

TEST_CASE("in deeper networks searched reductions stand at the two reductions alone", "[space]") {
  const std::vector<Gene> plain{{"skip_connect", 0, 2}, {"skip_connect", 1, 2}};
  for (const int cells : {5, 6, 7, 8, 11})
    for (const int layers : {cells + 1, 12, 13, 20, 23}) {
      if (cells == 8 && layers > 20) continue;  // the published rule goes on otherwise
      INFO(cells << " cells searched, " << layers << " built");
      std::vector<std::vector<Gene>> searched(static_cast<std::size_t>(cells), plain);
      for (const int reduction : {cells / 3, 2 * cells / 3})
        searched[static_cast<std::size_t>(reduction)] = {{"sep_conv_3x3", 0, 2}, {"skip_connect", 1, 2}};
      Genotype genotype = listed(searched, {2});
      genotype.reductions.reset();
      std::set<std::string> with_convolutions;
      const auto network = build(genotype, layers);
      for (const StateEntry& entry : network->state())
        if (entry.name.find("._ops.") != std::string::npos && entry.tensor.dim() == 4 && entry.tensor.size(2) == 3)
          with_convolutions.insert(entry.name.substr(0, entry.name.find("._ops.")));
      CHECK(with_convolutions == std::set<std::string>{"cells." + std::to_string(layers / 3),
                                                       "cells." + std::to_string(2 * layers / 3)});
    }
}

TEST_CASE("a defect of a genotype by position is named", "[space][misuse]") {
  CHECK(problem({{{"normal", {{"skip_connect", 0, 2}}, {2}}}}) ==
        "a genotype of ddarts lists the cells of its positions (genes, concat, reductions); this one has a cell "
        "'normal'");
  CHECK(problem({}) ==
        "a genotype of ddarts lists the cells of its positions (genes, concat, reductions); this one has no cells");
  CHECK(problem(listed({small_cell(), {}})) ==
        "cell 1 of the genotype has no operations: derive it with a lower threshold or another rule");
  CHECK(problem(listed({{{"skip_connect", 0, 1}}})) ==
        "cell 0 of the genotype has skip_connect from node 0 to node 1; nodes count from 0, and 0 and 1 are the cell's "
        "inputs");
  CHECK(
      problem(listed({{{"skip_connect", 0, 2}, {"skip_connect", 4, 3}}})) ==
      "cell 0 of the genotype leaves node 3 without input: every operation into it comes from a node, such as 4, that "
      "is fed later or not at all; nodes run in the order in which the list first names them");
  CHECK(problem(listed({small_cell()}, {4, 5})) ==
        "cell 0 of the genotype has none of the nodes that concat names, so it has no output");
  Genotype repeated = listed({small_cell()});
  repeated.sequence = std::vector<int>{0, 1};
  CHECK(problem(repeated) == "the genotype's seq names cell 1, but it has 1 cells");
  repeated.sequence = std::vector<int>{};
  CHECK(problem(repeated) == "the genotype's seq is empty; it tells the cell of every position");
}

TEST_CASE("a depth that the rule of deeper networks does not reach is refused", "[space][misuse]") {
  const std::string end = "; the rule for deeper ones is for at least 5 searched cells with two reductions at most";
  CHECK(problem(published("ResNet18"), 5) ==
        "space.layers: the genotype makes networks of up to 4 cells, found 5" + end);
  CHECK(problem(listed({4, small_cell()}), 6) ==
        "space.layers: the genotype makes networks of up to 4 cells, found 6" + end);
  Genotype three = listed({8, small_cell()});
  three.reductions = std::vector<int>{1, 2, 3};
  CHECK(problem(three, 9) == "space.layers: the genotype makes networks of up to 8 cells, found 9" + end);
  CHECK(problem(listed({small_cell()}), 0) == "space.layers: expected at least 1, found 0");
}

TEST_CASE("sizes that no network can have are refused by both spaces", "[space][misuse]") {
  const auto refused = [](const char* name, void (*alter)(SpaceConfig&)) {
    SpaceConfig config;
    config.layers = 1;
    alter(config);
    try {
      space(name)->network(config, listed({small_cell()}), RegistryCatalog(test::plugins()));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refused("ddarts", [](SpaceConfig& c) { c.channels = 1; }) == "space.channels: expected at least 2, found 1");
  CHECK(refused("dartopti", [](SpaceConfig& c) { c.classes = 1; }) ==
        "dartopti classifies images: expected at least 2 classes, found 1");
  CHECK(refused("ddarts", [](SpaceConfig& c) {
          c.input = {3, 3, 9};
        }) == "ddarts needs images of at least 4 pixels a side, found 3x9");
}

TEST_CASE("nodes run in the order of the list, and an operation whose source comes later is dropped", "[space]") {
  const auto network = build(listed({{{"simple_conv_1x1", 0, 4},
                                      {"simple_conv_1x1", 1, 2},
                                      {"simple_conv_3x3", 2, 4},
                                      {"skip_connect", 4, 2},
                                      {"simple_conv_1x1", 4, 3}}}),
                             1);
  const std::vector<std::string> names = parameter_names(*network);
  const auto place = [&](const std::string& name) { return std::find(names.begin(), names.end(), name); };
  REQUIRE(place("cells.0._ops.4.2.0.op.1.weight") != names.end());
  CHECK(place("cells.0._ops.4.2.0.op.1.weight") < place("cells.0._ops.2.1.0.op.1.weight"));
  CHECK(place("cells.0._ops.2.1.0.op.1.weight") < place("cells.0._ops.3.4.0.op.1.weight"));
  const Batch batch{at::randn({2, 3, 8, 8}), at::tensor({1, 2}, at::kLong)};
  const auto found = gradients(network->loss({}, batch, {}, {}).loss, parameters_of(*network));
  for (std::size_t i = 0; i < names.size(); ++i) {
    INFO(names[i]);
    const bool dropped = names[i].rfind("cells.0._ops.4.2.", 0) == 0;
    if (names[i].find("weight") != std::string::npos) CHECK((found[i].abs().max().item<double>() == 0) == dropped);
  }
  const auto sound =
      build(listed({{{"simple_conv_1x1", 0, 4}, {"simple_conv_1x1", 1, 2}, {"simple_conv_1x1", 4, 3}}}), 1);
  CHECK(network->cost().multiply_adds == sound->cost().multiply_adds);
  CHECK(network->cost().parameters == sound->cost().parameters + 9 * 16 + 8);
}

TEST_CASE("several operations of one edge are summed", "[space]") {
  const auto network = build(listed({{{"simple_conv_1x1", 0, 2}, {"conv_3x1_1x3", 0, 2}}}, {2, 3}), 1);
  const auto state = test::by_name(network->state());
  CHECK(state.count("cells.0._ops.2.0.0.op.1.weight") == 1);
  CHECK(state.count("cells.0._ops.2.0.1.op.2.weight") == 1);
  CHECK(state.at("classifier.weight").sizes() == at::IntArrayRef({10, 4}));  // node 3 of the concat is not there
}

/// Runs a step of training with the auxiliary head, and an evaluation, on tiny images.
void check_runs(const Genotype& genotype, const std::string& stem, std::int64_t side, std::int64_t layers) {
  SpaceConfig config;
  config.stem = stem;
  config.input = {3, side, side};
  config.auxiliary = true;
  const auto network = build(genotype, layers, config);
  const Batch batch{at::randn({2, 3, side, side}), at::tensor({1, 2}, at::kLong)};
  const Outcome outcome = network->loss({}, batch, {}, {});
  CHECK(std::isfinite(outcome.loss.item<double>()));
  double total = 0;
  for (const at::Tensor& gradient : gradients(outcome.loss, parameters_of(*network)))
    total += gradient.abs().sum().item<double>();
  CHECK((std::isfinite(total) && total > 0));
  CHECK(network->loss({}, batch, {}, test::evaluation_pass()).output.sizes() == at::IntArrayRef({2, 10}));
  CHECK(network->auxiliary_parameters() > 0);
}

TEST_CASE("every published network runs forward and backward with its auxiliary head", "[space]") {
  for (const char* name : {"ddarts", "dartopti"})
    for (const NamedGenotype& named : space(name)->genotypes()) {
      INFO(named.name);
      check_runs(named.genotype, "cifar", 32, static_cast<std::int64_t>(named.genotype.positions()));
    }
}

TEST_CASE("heads and classifiers fit maps that the published networks fail on", "[space]") {
  // ImageNet's stem quarters; two, three and four halvings follow.
  check_runs(published("D-DARTS_threshold_sparse_cifar10_0.85_50"), "imagenet", 64, 8);
  check_runs(published("D-DARTS_threshold_sparse_cifar10_0.85_50"), "imagenet", 224, 9);
  check_runs(published("ResNet18"), "imagenet", 80, 4);
  check_runs(published("Xception"), "imagenet", 64, 13);
  check_runs(published("Xception"), "cifar", 16, 13);  // a map of one pixel
}

TEST_CASE("drop-path masks the sum of a node for each image", "[space]") {
  Genotype genotype = listed({{{"skip_connect", 0, 2}, {"simple_conv_1x1", 1, 2}, {"simple_conv_1x1", 0, 3}}}, {2, 3});
  genotype.reductions = std::vector<int>{};
  const auto network = build(genotype, 1);
  const Batch batch{at::randn({64, 3, 8, 8}), at::zeros({64}, at::kLong)};
  std::vector<at::Tensor> trace;
  Pass pass;
  pass.drop_path = 0.5;
  pass.key = 7;
  pass.trace = &trace;
  (void)network->loss({}, batch, {}, pass);
  std::vector<at::Tensor> undropped;
  pass.drop_path = 0;
  pass.trace = &undropped;
  (void)network->loss({}, batch, {}, pass);
  const at::Tensor found = trace.at(1), whole = undropped.at(1);
  int dropped = 0;
  for (std::int64_t image = 0; image < 64; ++image)
    for (std::int64_t node = 0; node < 2; ++node) {
      const at::Tensor one = found[image].slice(0, 4 * node, 4 * node + 4);
      const at::Tensor expected = whole[image].slice(0, 4 * node, 4 * node + 4);
      const bool is_dropped = one.abs().max().item<double>() == 0;
      dropped += is_dropped;
      if (!is_dropped) CHECK(at::allclose(one, expected * 2));
    }
  CHECK((dropped > 40 && dropped < 88));  // 64 of 128 expected
}

}  // namespace
