#include <algorithm>
#include <fstream>
#include <functional>

#include "host/graph/check.hpp"
#include "host/graph/genotypes.hpp"
#include "host/graph/measure.hpp"
#include "mixop/error.hpp"
#include "tests/support/descriptions.hpp"

namespace {

using namespace mixop;

SpaceConfig published_sizes() {
  SpaceConfig config;
  config.layers = 15;
  config.operations = test::described_space("nasbench201")->defaults().operations;
  return config;
}

Genotype genotype_of(const std::string& text) {
  const auto read = test::described_space("nasbench201")->read_text(text);
  REQUIRE(read);
  return *read;
}

NetworkGraph network_of(const Genotype& genotype, const SpaceConfig& config = published_sizes()) {
  return test::described_space("nasbench201")->network(config, genotype);
}

std::int64_t parameters_of(const std::string& text) {
  return measure(network_of(genotype_of(text)), test::described()).cost().parameters;
}

Genotype published(const std::string& name) { return test::published_genotype("nasbench201", name); }

TEST_CASE("cells of every size have the recorded number of parameters", "[space][nasbench201]") {
  std::ifstream table(std::string(MIXOP_TEST_DATA) + "/nasbench201_parameters.csv");
  std::string line;
  REQUIRE(std::getline(table, line));
  int compared = 0;
  for (; std::getline(table, line); ++compared) {
    INFO(line);
    const auto comma = line.find(',');
    CHECK(parameters_of(line.substr(0, comma)) == std::stoll(line.substr(comma + 1)));
  }
  CHECK(compared == 28);
}

TEST_CASE("the named cells have their published sizes and texts", "[space][nasbench201]") {
  const auto size = [](const std::string& name) {
    return measure(network_of(published(name)), test::described()).cost().parameters;
  };
  CHECK(size("AllConv3x3") == 1531546);
  CHECK(size("AllIdentity") == 73306);
  const auto space = test::described_space("nasbench201");
  CHECK(space->print_text(published("AllConv1x1")) ==
        "|nor_conv_1x1~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|nor_conv_1x1~0|nor_conv_1x1~1|nor_conv_1x1~2|");
  CHECK(space->print_text(published("ResNet")) ==
        "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|");
}

TEST_CASE("three stages of cells stand between residual blocks", "[space][nasbench201]") {
  SpaceConfig config = published_sizes();
  config.layers = 6;
  const NetworkGraph graph = network_of(published("AllConv3x3"), config);
  check(graph);
  std::vector<std::string> names, kinds;
  for (const Block& block : graph.blocks) {
    names.push_back(block.cell.name);
    kinds.push_back(block.cell.kind);
  }
  CHECK(names == std::vector<std::string>{"stem", "cells.0", "cells.1", "cells.2", "cells.3", "cells.4", "cells.5",
                                          "cells.6", "cells.7", "lastact", "classifier"});
  CHECK(kinds == std::vector<std::string>{"cifar", "cell", "cell", "residual", "cell", "cell", "residual", "cell",
                                          "cell", "norm", "linear"});
  const MeasuredNetwork measured = measure(graph, test::described());
  CHECK(measured.parts[2].output == ImageShape{16, 32, 32});
  CHECK(measured.parts[3].output == ImageShape{32, 16, 16});
  CHECK(measured.parts[8].output == ImageShape{64, 8, 8});
  CHECK(measured.auxiliary_parameters() == 0);
}

TEST_CASE("tensors of genotypes are named as in the published code", "[space][nasbench201]") {
  SpaceConfig config = published_sizes();
  config.layers = 3;
  const std::vector<std::string> names = test::weight_names(network_of(published("ResNet"), config));
  const std::vector<std::string> first{"stem.0.weight",
                                       "stem.1.weight",
                                       "cells.0.layers.0.op.1.weight",
                                       "cells.0.layers.0.op.2.weight",
                                       "cells.0.layers.2.op.1.weight",
                                       "cells.0.layers.2.op.2.weight",
                                       "cells.1.conv_a.op.1.weight",
                                       "cells.1.conv_a.op.2.weight",
                                       "cells.1.conv_b.op.1.weight",
                                       "cells.1.conv_b.op.2.weight",
                                       "cells.1.downsample.1.weight"};
  REQUIRE(names.size() > first.size());
  CHECK(std::vector<std::string>(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(first.size())) == first);
  CHECK(names[names.size() - 2] == "lastact.0.weight");
  CHECK(names.back() == "classifier.weight");
}

TEST_CASE("images of odd sides fit the shortcut of a residual block", "[space][nasbench201]") {
  SpaceConfig config = published_sizes();
  for (const std::int64_t height : {4, 5, 6, 7, 31})
    for (const std::int64_t width : {5, 30}) {
      INFO(height << "x" << width);
      config.input = {1, height, width};
      const MeasuredNetwork measured = measure(network_of(published("AllIdentity"), config), test::described());
      const NetworkPart& last = measured.parts[measured.parts.size() - 2];
      CHECK(last.output == ImageShape{64, (height + 3) / 4, (width + 3) / 4});
    }
}

TEST_CASE("its search has one shared alpha set and norms without affine in the cells alone", "[space][nasbench201]") {
  const NetworkGraph graph = test::described_space("nasbench201")->search(published_sizes());
  check(graph);
  CHECK(unused_alphas(graph).empty());
  REQUIRE(graph.alphas.size() == 1);
  CHECK(graph.alphas[0].shape() == std::vector<std::int64_t>{6, 5});
  CHECK(graph.alphas[0].cells.size() == 15);
  int choices = 0;
  for (const Block& block : graph.blocks)
    for (const Edge& edge : block.cell.edges) {
      if (const auto* choice = std::get_if<Choice>(&edge.does)) {
        ++choices;
        CHECK((!choice->spec.affine && !choice->pools_normalised));
      }
      if (const auto* structure = std::get_if<Structure>(&edge.does))
        for (const Stage& stage : structure->stages())
          if (stage.kind == StageKind::batch_norm) CHECK(stage.affine);
    }
  CHECK(choices == 15 * 6);
  // Both convolutions on every edge: 10 weights a pair of channels; without the skip cell's own norms there are none.
  const std::int64_t convolutions = 5 * 6 * 10 * (16 * 16 + 32 * 32 + 64 * 64);
  CHECK(measure(graph, test::described()).cost().parameters == 73306 + convolutions);
}

TEST_CASE("its genotypes keep every edge, and number 15625", "[space][nasbench201]") {
  const NetworkGraph graph = test::described_space("nasbench201")->search(published_sizes());
  CHECK(count_genotypes(graph.alphas) == 15625);
  const auto space = test::described_space("nasbench201");
  for (const std::uint64_t index : {0, 777, 15624}) {
    const Genotype genotype = genotype_at(graph.alphas, index);
    check(space->network(published_sizes(), genotype));
    const auto text = space->print_text(genotype);
    REQUIRE(text);
    CHECK(space->read_text(*text) == genotype);
  }
}

TEST_CASE("published strings are read and printed, spaces around them ignored", "[space][nasbench201]") {
  const auto space = test::described_space("nasbench201");
  const std::string text = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|none~1|skip_connect~2|";
  const Genotype genotype = genotype_of("  " + text + "\n");
  REQUIRE(genotype.cells.size() == 1);
  const CellGenotype& cell = genotype.cells[0];
  CHECK((cell.name == "cell" && cell.inputs == 1 && cell.concat == std::vector<int>{3}));
  CHECK(cell.genes.at(2) == Gene{"skip_connect", 1, 2});
  CHECK(space->print_text(genotype) == text);
  Genotype shuffled = genotype;
  std::reverse(shuffled.cells[0].genes.begin(), shuffled.cells[0].genes.end());
  CHECK(space->print_text(shuffled) == text);
  CHECK(test::weight_names(network_of(shuffled)) == test::weight_names(network_of(genotype)));
}

TEST_CASE("what is no published string is left to other readers", "[space][nasbench201]") {
  const auto space = test::described_space("nasbench201");
  CHECK_FALSE(space->read_text(""));
  CHECK_FALSE(space->read_text("{\"cell\": []}"));
  CHECK_FALSE(space->print_text({}));
  CHECK_FALSE(space->print_text(test::published_genotype("darts_cnn", "DARTS_V2")));
}

TEST_CASE("a defect of a published string is named with its node", "[space][nasbench201][misuse]") {
  const auto problem = [](const std::string& text) {
    try {
      (void)test::described_space("nasbench201")->read_text(text);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string start = "the NAS-Bench-201 string: node ";
  CHECK(problem("|a~0|+") == start + "2 is ''; expected operations between bars, such as '|skip_connect~0|'");
  CHECK(problem("|a~0|+|a~0|b~1") == start +
                                         "2 is '|a~0|b~1'; expected operations between bars, such as "
                                         "'|skip_connect~0|'");
  CHECK(problem("|a~0|+|a~0|") ==
        start + "2 has 1 operations; expected 2, one from each node before it (none where there is none)");
  CHECK(problem("|a~0|+|a~0|b~0|") == start + "2 has 'b~0'; expected an operation and '~1'");
  CHECK(problem("|a|") == start + "1 has 'a'; expected an operation and '~0'");
  CHECK(problem("|~0|") == start + "1 has '~0'; expected an operation and '~0'");
}

TEST_CASE("a genotype that is no such cell is refused with the reason", "[space][nasbench201][misuse]") {
  const auto problem = [](const std::function<void(Genotype&)>& change) {
    Genotype genotype = published("ResNet");
    change(genotype);
    try {
      (void)network_of(genotype);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(problem([](Genotype& g) { g.cells.clear(); }) ==
        "a genotype of nasbench201 has one cell 'cell'; this one has none");
  CHECK(problem([](Genotype& g) { g.cells[0].name = "normal"; }) ==
        "a genotype of nasbench201 has one cell 'cell'; this one has a cell 'normal'");
  CHECK(problem([](Genotype& g) { g.cells[0].genes.clear(); }) == "the cell of the genotype has no operations");
  CHECK(problem([](Genotype& g) { g.cells[0].inputs = 2; }) == "the cell of the genotype has 2 inputs, expected 1");
  CHECK(problem([](Genotype& g) { g.cells[0].genes[1].from = 2; }) ==
        "the cell of the genotype has none from node 2 to node 2; it must come from an earlier node");
  CHECK(problem([](Genotype& g) { g.cells[0].genes.erase(g.cells[0].genes.begin() + 1); }) ==
        "the cell of the genotype has 0 operations from node 0 to node 2; expected one (none where there is none)");
  CHECK(problem([](Genotype& g) {
          g.cells[0].concat = {1, 3};
        }) == "the cell of the genotype has another output than its last node, 3");
}

TEST_CASE("a config that has no such network is refused", "[space][nasbench201][misuse]") {
  const auto refusal = [](const std::function<void(SpaceConfig&)>& change) {
    SpaceConfig config = published_sizes();
    change(config);
    try {
      (void)test::described_space("nasbench201")->search(config);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal([](SpaceConfig& c) { c.layers = 8; }) ==
        "space.layers: nasbench201 has three stages of as many cells; expected a multiple of 3, such as 15 (the "
        "published 5 a stage), found 8");
  CHECK(refusal([](SpaceConfig& c) { c.stem = "imagenet"; }) ==
        "space.stem: nasbench201 begins with one convolution; expected auto or cifar, found 'imagenet'");
  CHECK(refusal([](SpaceConfig& c) { c.nodes = 1; }) ==
        "space.nodes: nasbench201 counts a cell's input among its nodes; expected at least 2, found 1");
  CHECK(refusal([](SpaceConfig& c) { c.operations.clear(); }) ==
        "space.ops: expected at least one candidate operation, found none");
  CHECK(refusal([](SpaceConfig& c) { c.classes = 1; }) ==
        "nasbench201 classifies images: expected at least 2 classes, found 1");
}

}  // namespace
