#include <algorithm>
#include <functional>

#include "host/graph/check.hpp"
#include "host/graph/measure.hpp"
#include "host/json/json.hpp"
#include "mixop/error.hpp"
#include "tests/support/descriptions.hpp"
#include "tests/support/fixture_path.hpp"

namespace {

using namespace mixop;
using Catch::Matchers::Contains;

SpaceConfig darts_config() {
  SpaceConfig config;
  config.operations = test::described_space("darts_cnn")->defaults().operations;
  return config;
}

NetworkGraph searched(const SpaceConfig& config) { return test::described_space("darts_cnn")->search(config); }

std::int64_t supernet_parameters(const SpaceConfig& config) {
  return measure(searched(config), test::described()).cost().parameters;
}

TEST_CASE("every description of the space is sound", "[space][darts_cnn]") {
  const auto space = test::described_space("darts_cnn");
  for (const char* stem : {"cifar", "imagenet"}) {
    SpaceConfig config = darts_config();
    config.stem = stem;
    config.input = {3, 224, 224};
    check(space->search(config));
    config.auxiliary = true;
    for (const NamedGenotype& named : space->genotypes()) {
      INFO(named.name << " " << stem);
      check(space->network(config, named.genotype));
    }
  }
}

TEST_CASE("the supernet of the paper is described in its published size", "[space][darts_cnn]") {
  SpaceConfig config = darts_config();
  CHECK(supernet_parameters(config) == 1930618);
  config.classes = 100;
  CHECK(supernet_parameters(config) == 1953748);
  config.classes = 10;
  config.layers = 5;
  CHECK(supernet_parameters(config) == 1275834);
}

TEST_CASE("the networks of the published genotypes are described in their published sizes", "[space][darts_cnn]") {
  const JsonValue facts = parse_json_file(test::path_of_optional("facts.json"), ErrorCode::bad_data);
  int compared = 0;
  for (const char* images : {"cifar", "imagenet"})
    for (const JsonMember& row : facts.find("cnn")->find(images)->members) {
      INFO(images << " " << row.key);
      SpaceConfig config;
      config.channels = row.value.find("C")->integer;
      config.layers = row.value.find("layers")->integer;
      config.classes = row.value.find("num_classes")->integer;
      if (std::string(images) == "imagenet") config.input = {3, 224, 224};
      config.auxiliary = true;
      const NetworkGraph graph =
          test::described_space("darts_cnn")->network(config, test::published_genotype("darts_cnn", row.key));
      const MeasuredNetwork measured = measure(graph, test::described());
      CHECK(measured.cost().parameters == row.value.find("params_no_aux")->integer);
      CHECK(measured.cost().parameters + measured.auxiliary_parameters() == row.value.find("params_with_aux")->integer);
      CHECK(measured.cost().multiply_adds == row.value.find("macs")->integer);
      ++compared;
    }
  CHECK(compared >= 10);
}

TEST_CASE("tensors are named as in the published code, the head before the classifier", "[space][darts_cnn]") {
  SpaceConfig config = darts_config();
  config.layers = 3;
  config.auxiliary = true;
  const NetworkGraph graph =
      test::described_space("darts_cnn")->network(config, test::published_genotype("darts_cnn", "DARTS_V2"));
  const std::vector<std::string> names = test::weight_names(graph);
  CHECK(names.front() == "stem.0.weight");
  CHECK(names.at(2) == "cells.0.preprocess0.op.1.weight");
  CHECK(names.at(6) == "cells.0._ops.0.op.1.weight");
  const auto end = names.end();
  CHECK(std::vector<std::string>(end - 5, end) ==
        std::vector<std::string>{"auxiliary_head.features.3.weight", "auxiliary_head.features.5.weight",
                                 "auxiliary_head.features.6.weight", "auxiliary_head.classifier.weight",
                                 "classifier.weight"});
  // Of ImageNet's head the last norm is missing.
  config.input = {3, 224, 224};
  const std::vector<std::string> imagenet = test::weight_names(
      test::described_space("darts_cnn")->network(config, test::published_genotype("darts_cnn", "DARTS_V2")));
  CHECK(imagenet.front() == "stem0.0.weight");
  CHECK(std::count(imagenet.begin(), imagenet.end(), "stem0.3.weight") == 1);
  CHECK(std::count(imagenet.begin(), imagenet.end(), "stem1.1.weight") == 1);
  CHECK(std::count(imagenet.begin(), imagenet.end(), "cells.0.preprocess0.conv_1.weight") == 1);
  CHECK(std::count(imagenet.begin(), imagenet.end(), "auxiliary_head.features.6.weight") == 0);
  const std::vector<std::string> supernet = test::weight_names(searched(darts_config()));
  CHECK(std::count(supernet.begin(), supernet.end(), "cells.2._ops.13._ops.7.op.1.weight") == 1);
}

TEST_CASE("the loss of a description is that of its outputs", "[space][darts_cnn]") {
  SpaceConfig config = darts_config();
  config.label_smoothing = 0.1;
  const auto space = test::described_space("darts_cnn");
  const Genotype genotype = test::published_genotype("darts_cnn", "DARTS_V1");
  const NetworkGraph plain = space->network(config, genotype);
  REQUIRE(plain.outputs.size() == 1);
  CHECK(plain.outputs[0].label_smoothing == 0.1);
  config.auxiliary = true;
  config.auxiliary_weight = 0.3;
  const NetworkGraph graph = space->network(config, genotype);
  REQUIRE(graph.outputs.size() == 2);
  CHECK((graph.outputs[0].weight == 1 && !graph.outputs[0].training_only));
  CHECK((graph.outputs[1].weight == 0.3 && graph.outputs[1].training_only));
  CHECK(graph.blocks[static_cast<std::size_t>(graph.outputs[1].block)].cell.name == "auxiliary_head");
  const NetworkGraph search = space->search(config);  // has neither
  REQUIRE(search.outputs.size() == 1);
  CHECK(search.outputs[0].label_smoothing == 0);
}

TEST_CASE("each alpha set drives its kind of cell", "[space][darts_cnn]") {
  const NetworkGraph graph = searched(darts_config());
  REQUIRE(graph.alphas.size() == 2);
  CHECK(graph.alphas[0].name == "alphas_normal");
  CHECK(graph.alphas[0].cells == std::vector<int>{0, 1, 3, 4, 6, 7});
  CHECK(graph.alphas[1].cells == std::vector<int>{2, 5});
  CHECK(graph.alphas[1].topology.edges.size() == 14);
  CHECK(unused_alphas(graph).empty());
  for (const Block& block : graph.blocks)
    for (const Edge& edge : block.cell.edges)
      if (const auto* choice = std::get_if<Choice>(&edge.does)) {
        CHECK(choice->alphas.set == (block.cell.kind == "reduce" ? 1 : 0));
        CHECK(edge.name == "_ops." + std::to_string(choice->alphas.edge));
        CHECK((choice->pools_normalised && !choice->spec.affine));
      }
  SpaceConfig one = darts_config();
  one.layers = 1;
  CHECK(unused_alphas(searched(one)) == std::vector<std::string>{"alphas_normal"});
}

TEST_CASE("a config that the space cannot describe is refused with the key and the value",
          "[space][darts_cnn][misuse]") {
  const auto refusal = [](const std::function<void(SpaceConfig&)>& change) {
    SpaceConfig config = darts_config();
    config.channels = 4;
    config.layers = 2;
    change(config);
    try {
      (void)searched(config);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  CHECK(refusal([](SpaceConfig& c) { c.channels = 1; }) == "space.channels: expected at least 2, found 1");
  CHECK(refusal([](SpaceConfig& c) { c.nodes = 0; }) == "space.nodes: expected at least 1, found 0");
  CHECK(refusal([](SpaceConfig& c) { c.operations.clear(); }) ==
        "space.ops: expected at least one candidate operation, found none");
  CHECK(refusal([](SpaceConfig& c) { c.operations.push_back("none"); }) ==
        "space.ops: 'none' stands in the list twice");
  CHECK(refusal([](SpaceConfig& c) { c.stem = "cifar100"; }) ==
        "space.stem: expected auto, cifar or imagenet, found 'cifar100'");
}

/// Multiply-adds and parameters, without and with the auxiliary head, of the published evaluation on CIFAR-10.
std::vector<std::int64_t> published_sizes(const CellGenotype& normal, const CellGenotype& reduce) {
  SpaceConfig config = darts_config();
  config.channels = 36;
  config.layers = 20;
  config.auxiliary = true;
  const MeasuredNetwork network =
      measure(test::described_space("darts_cnn")->network(config, {{normal, reduce}}), test::described());
  return {network.cost().parameters, network.cost().parameters + network.auxiliary_parameters(),
          network.cost().multiply_adds};
}

TEST_CASE("FairDARTS' published genotypes lose the nodes that nothing feeds", "[space][darts_cnn]") {
  const std::vector<int> all{2, 3, 4, 5};
  const CellGenotype normal_a{
      "normal", {{"sep_conv_3x3", 0, 2}, {"sep_conv_5x5", 1, 2}, {"max_pool_3x3", 0, 4}, {"sep_conv_3x3", 0, 5}}, all};
  const CellGenotype reduce_a{"reduce",
                              {{"max_pool_3x3", 0, 2},
                               {"avg_pool_3x3", 1, 2},
                               {"avg_pool_3x3", 0, 3},
                               {"dil_conv_5x5", 1, 3},
                               {"avg_pool_3x3", 0, 4},
                               {"sep_conv_5x5", 1, 4},
                               {"skip_connect", 0, 5},
                               {"skip_connect", 1, 5}},
                              all};
  CHECK(published_sizes(normal_a, reduce_a) == std::vector<std::int64_t>{2360782, 2837208, 371455200});
  const CellGenotype normal_c{"normal",
                              {{"max_pool_3x3", 0, 2},
                               {"sep_conv_5x5", 1, 2},
                               {"dil_conv_3x3", 0, 4},
                               {"dil_conv_5x5", 2, 4},
                               {"skip_connect", 3, 5},
                               {"sep_conv_3x3", 0, 5}},
                              all};
  const CellGenotype reduce_c{"reduce",
                              {{"dil_conv_3x3", 1, 2},
                               {"dil_conv_5x5", 0, 2},
                               {"dil_conv_3x3", 0, 3},
                               {"sep_conv_3x3", 1, 3},
                               {"sep_conv_5x5", 0, 4},
                               {"sep_conv_5x5", 3, 4},
                               {"sep_conv_5x5", 0, 5},
                               {"skip_connect", 1, 5}},
                              all};
  CHECK(published_sizes(normal_c, reduce_c) == std::vector<std::int64_t>{2598814, 3075240, 399987936});
}

TEST_CASE("networks of one or two cells need no normal cell", "[space][darts_cnn]") {
  const auto space = test::described_space("darts_cnn");
  const Genotype whole = test::published_genotype("darts_cnn", "NASNet");
  const Genotype reduce{{whole.cells[1]}};
  for (const std::int64_t layers : {1, 2}) {
    SpaceConfig config = darts_config();
    config.layers = layers;
    const auto parameters = [&](const Genotype& genotype) {
      return measure(space->network(config, genotype), test::described()).cost().parameters;
    };
    CHECK(parameters(reduce) == parameters(whole));
  }
}

TEST_CASE("a genotype that makes no network is refused with the cell and the reason", "[space][darts_cnn][misuse]") {
  const auto refusal = [](const std::function<void(Genotype&)>& change) {
    Genotype genotype = test::published_genotype("darts_cnn", "NASNet");
    change(genotype);
    SpaceConfig config = darts_config();
    config.layers = 3;
    try {
      (void)test::described_space("darts_cnn")->network(config, genotype);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  CHECK_THAT(refusal([](Genotype& g) { g.cells.pop_back(); }), Contains("space.layers=3 has a 'reduce' cell, and the genotype has none"));
  CHECK_THAT(refusal([](Genotype& g) { g.cells[0].genes.clear(); }), Contains("cell 'normal' has no operations"));
  CHECK_THAT(refusal([](Genotype& g) { g.cells[0].genes[0].from = 7; }), Contains("it must come from an earlier node"));
  CHECK_THAT(refusal([](Genotype& g) { g.cells[0].concat.push_back(99); }),
             Contains("concat names node 99, expected 2 to 6"));
  CHECK_THAT(refusal([](Genotype& g) { g.cells[0].concat.push_back(1); }), Contains("concat names node 1, expected"));
  CHECK_THAT(refusal([](Genotype& g) { g.cells[0].inputs = 3; }), Contains("has 3 inputs, expected 2"));
  CHECK_THAT(refusal([](Genotype& g) {
               g.cells[0].genes = {{"skip_connect", 3, 4}};
               g.cells[0].concat = {4};
             }),
             Contains("no operation comes from the inputs, or concat names no node that one feeds"));
  CHECK(refusal([](Genotype& g) { g.cells[0].concat.push_back(7); }) == "nothing was refused");
  CHECK(refusal([](Genotype& g) { g.cells[1].genes.erase(g.cells[1].genes.begin(), g.cells[1].genes.begin() + 2); }) ==
        "nothing was refused");  // node 2 is left out
  CHECK_THAT(refusal([](Genotype& g) {
               std::rotate(g.cells[1].genes.begin(), g.cells[1].genes.begin() + 2, g.cells[1].genes.end());
             }),
             Contains("cell 'reduce': node 2 is used before anything feeds it"));
}

}  // namespace
