#include <algorithm>
#include <functional>
#include <set>

#include "host/genotype/genotype_json.hpp"
#include "host/graph/check.hpp"
#include "host/graph/measure.hpp"
#include "mixop/error.hpp"
#include "tests/support/listed_genotype.hpp"
#include "tests/support/descriptions.hpp"
#include "tests/support/fixture_path.hpp"

namespace {

using namespace mixop;

Genotype published(const std::string& name) {
  for (const char* of : {"ddarts", "dartopti"})
    for (const NamedGenotype& named : test::described_space(of)->genotypes())
      if (named.name == name) return named.genotype;
  FAIL("no genotype " << name);
  return {};
}

std::vector<Gene> small_cell() { return {{"simple_conv_1x1", 0, 2}, {"skip_connect", 1, 2}}; }

NetworkGraph described(const Genotype& genotype, std::int64_t layers, SpaceConfig config = {}) {
  config.channels = 4;
  config.layers = layers;
  return test::described_space("ddarts")->network(config, genotype);
}

MeasuredNetwork measured(const NetworkGraph& graph) { return measure(graph, test::described()); }

std::string problem(const Genotype& genotype, std::int64_t layers = 1) {
  try {
    (void)described(genotype, layers);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::usage);
    return error.what();
  }
  return "";
}

const Cell& cell_of(const NetworkGraph& graph, std::size_t index) {
  for (const Block& block : graph.blocks)
    if (block.cell.name == "cells." + std::to_string(index)) return block.cell;
  throw std::runtime_error("no such cell");
}

TEST_CASE("every network of both spaces is described soundly and fits, with its auxiliary head", "[space][ddarts]") {
  for (const char* name : {"ddarts", "dartopti"})
    for (const NamedGenotype& named : test::described_space(name)->genotypes())
      for (const auto& [stem, side] : {std::pair{"cifar", 32}, std::pair{"imagenet", 64}, std::pair{"imagenet", 230}}) {
        INFO(named.name << " " << stem << " " << side);
        SpaceConfig config;
        config.stem = stem;
        config.input = {3, side, side};
        config.auxiliary = true;
        const NetworkGraph graph =
            described(named.genotype, static_cast<std::int64_t>(named.genotype.positions()), config);
        check(graph);
        CHECK(measured(graph).auxiliary_parameters() > 0);
      }
}

TEST_CASE("the published genotypes are those of the stored facts", "[space][ddarts]") {
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
  CHECK(compared ==
        test::described_space("ddarts")->genotypes().size() + test::described_space("dartopti")->genotypes().size());
}

TEST_CASE("deeper networks take the searched cells by the published rule", "[space][ddarts]") {
  // Every cell has an operation of its own, which says which cell stands where.
  const std::vector<std::string> operations{"sep_conv_3x3", "sep_conv_5x5",    "dil_conv_3x3",    "dil_conv_5x5",
                                            "conv_7x1_1x7", "simple_conv_1x1", "simple_conv_3x3", "bottleneck_1x3x1"};
  std::vector<std::vector<Gene>> cells;
  for (const std::string& operation : operations) cells.push_back({{operation, 1, 2}, {operation, 0, 2}});
  const JsonValue rows = parse_json_file(test::path_of_optional("ddarts_derivation_index.json"), ErrorCode::bad_data);
  for (const JsonMember& row : rows.members) {
    INFO(row.key);
    const NetworkGraph graph = described(test::listed(cells, {2}), static_cast<std::int64_t>(row.value.items.size()));
    for (std::size_t i = 0; i < row.value.items.size(); ++i) {
      INFO("position " << i);
      const auto& operation = std::get<NamedOp>(cell_of(graph, i).edges.back().does);
      CHECK(operation.name == operations.at(static_cast<std::size_t>(row.value.items[i].integer)));
    }
  }
  REQUIRE(rows.members.size() >= 10);
}

TEST_CASE("in deeper networks searched reductions stand at the two reductions alone", "[space][ddarts]") {
  const std::vector<Gene> plain{{"skip_connect", 0, 2}, {"skip_connect", 1, 2}};
  for (const int cells : {5, 6, 7, 8, 11})
    for (const int layers : {cells + 1, 12, 13, 20, 23}) {
      if (cells == 8 && layers > 20) continue;  // the published rule goes on otherwise
      INFO(cells << " cells searched, " << layers << " built");
      std::vector<std::vector<Gene>> searched(static_cast<std::size_t>(cells), plain);
      for (const int reduction : {cells / 3, 2 * cells / 3})
        searched[static_cast<std::size_t>(reduction)] = {{"sep_conv_3x3", 0, 2}, {"skip_connect", 1, 2}};
      Genotype genotype = test::listed(searched, {2});
      genotype.reductions.reset();
      std::set<std::string> convolutional;
      for (const Block& block : described(genotype, layers).blocks)
        for (const Edge& edge : block.cell.edges)
          if (const auto* named = std::get_if<NamedOp>(&edge.does); named != nullptr && named->name == "sep_conv_3x3")
            convolutional.insert(block.cell.name);
      CHECK(convolutional ==
            std::set<std::string>{"cells." + std::to_string(layers / 3), "cells." + std::to_string(2 * layers / 3)});
    }
}

TEST_CASE("nodes run in the order of the list, and an operation whose source comes later never runs",
          "[space][ddarts]") {
  const NetworkGraph graph = described(test::listed({{{"simple_conv_1x1", 0, 4},
                                                {"simple_conv_1x1", 1, 2},
                                                {"simple_conv_3x3", 2, 4},
                                                {"skip_connect", 9, 2},
                                                {"simple_conv_1x1", 4, 3}}}),
                                       1);
  check(graph);
  const Cell& cell = cell_of(graph, 0);
  std::vector<std::string> names;
  for (const Edge& edge : cell.edges) names.push_back(edge.name);
  CHECK(names == std::vector<std::string>{"preprocess0", "preprocess1", "_ops.4.0.0", "_ops.4.2.0", "_ops.2.1.0",
                                          "_ops.2.9.0", "_ops.3.4.0"});
  CHECK(cell.output == std::vector<int>{4, 5, 6});  // nodes 4, 2, 3 of the genotype
  CHECK((!cell.edges[3].runs && !cell.edges[5].runs && cell.edges[6].runs));
  CHECK(cell.edges[6].from == 4);
  CHECK(cell.drop_path == DropPath::nodes);
  const MeasuredNetwork found = measured(graph);
  CHECK(found.parts[1].layers[3].kind == "simple_conv_3x3 2 -> 4, never run");
  CHECK(found.parts[1].layers.back().kind == "concat 4 2 3");
  const MeasuredNetwork sound = measured(
      described(test::listed({{{"simple_conv_1x1", 0, 4}, {"simple_conv_1x1", 1, 2}, {"simple_conv_1x1", 4, 3}}}), 1));
  CHECK(found.cost().multiply_adds == sound.cost().multiply_adds);
  CHECK(found.cost().parameters == sound.cost().parameters + 9 * 16 + 8);
}

TEST_CASE("several operations of one edge are numbered, and absent nodes of the concat are left out",
          "[space][ddarts]") {
  const NetworkGraph graph = described(test::listed({{{"simple_conv_1x1", 0, 2}, {"conv_3x1_1x3", 0, 2}}}, {2, 3}), 1);
  const std::vector<std::string> names = test::weight_names(graph);
  CHECK(std::count(names.begin(), names.end(), "cells.0._ops.2.0.0.op.1.weight") == 1);
  CHECK(std::count(names.begin(), names.end(), "cells.0._ops.2.0.1.op.2.weight") == 1);
  CHECK(measured(graph).parts.back().cost().parameters == 10 * 4 + 10);
}

TEST_CASE("a defect of a genotype by position is named", "[space][ddarts][misuse]") {
  CHECK(problem({{{"normal", {{"skip_connect", 0, 2}}, {2}}}}) ==
        "a genotype of ddarts lists the cells of its positions (genes, concat, reductions); this one has a cell "
        "'normal'");
  CHECK(problem({}) ==
        "a genotype of ddarts lists the cells of its positions (genes, concat, reductions); this one has no cells");
  CHECK(problem(test::listed({small_cell(), {}})) ==
        "cell 1 of the genotype has no operations: derive it with a lower threshold or another rule");
  CHECK(problem(test::listed({{{"skip_connect", 0, 1}}})) ==
        "cell 0 of the genotype has skip_connect from node 0 to node 1; nodes count from 0, and 0 and 1 are the cell's "
        "inputs");
  CHECK(
      problem(test::listed({{{"skip_connect", 0, 2}, {"skip_connect", 4, 3}}})) ==
      "cell 0 of the genotype leaves node 3 without input: every operation into it comes from a node, such as 4, that "
      "is fed later or not at all; nodes run in the order in which the list first names them");
  CHECK(problem(test::listed({small_cell()}, {4, 5})) ==
        "cell 0 of the genotype has none of the nodes that concat names, so it has no output");
  Genotype repeated = test::listed({small_cell()});
  repeated.sequence = std::vector<int>{0, 1};
  CHECK(problem(repeated) == "the genotype's seq names cell 1, but it has 1 cells");
  repeated.sequence = std::vector<int>{};
  CHECK(problem(repeated) == "the genotype's seq is empty; it lists the cell of every position");
}

TEST_CASE("a depth that the rule of deeper networks does not reach is refused", "[space][ddarts][misuse]") {
  const std::string end = "; the rule for deeper ones is for at least 5 searched cells with two reductions at most";
  CHECK(problem(published("ResNet18"), 5) ==
        "space.layers: the genotype makes networks of up to 4 cells, found 5" + end);
  CHECK(problem(test::listed({4, small_cell()}), 6) ==
        "space.layers: the genotype makes networks of up to 4 cells, found 6" + end);
  Genotype three = test::listed({8, small_cell()});
  three.reductions = std::vector<int>{1, 2, 3};
  CHECK(problem(three, 9) == "space.layers: the genotype makes networks of up to 8 cells, found 9" + end);
  CHECK(problem(test::listed({small_cell()}), 0) == "space.layers: expected at least 1, found 0");
}

TEST_CASE("supernets with alphas for every cell have their published sizes", "[space][ddarts]") {
  const JsonValue facts = parse_json_file(test::path_of_optional("facts_ddarts.json"), ErrorCode::bad_data);
  for (const JsonMember& row : facts.find("supernets")->members) {
    INFO(row.key);
    const std::string name = row.key.substr(0, row.key.find('_'));
    const bool from_baseline = name != "D-DARTS";
    const auto space = test::described_space(from_baseline ? "dartopti" : "ddarts");
    SpaceConfig config;
    config.channels = std::stoll(row.key.substr(row.key.find("_C") + 2));
    config.layers = row.value.find("cells")->integer;
    config.operations = space->defaults().operations;
    const auto& shape = row.value.find("alphas")->items;
    for (config.nodes = 1; config.nodes * (config.nodes + 3) / 2 < shape[1].integer; ++config.nodes) continue;
    if (from_baseline) config.baseline = published(name);
    const NetworkGraph graph = space->search(config);
    check(graph);
    CHECK(unused_alphas(graph).empty());
    const Cost cost = measured(graph).cost();
    CHECK(cost.parameters == row.value.find("params")->integer);
    CHECK(cost.multiply_adds == row.value.find("macs")->integer);
    const AlphaSet& alphas = graph.alphas.front();
    CHECK(alphas.shape() == std::vector<std::int64_t>{shape[0].integer, shape[1].integer, shape[2].integer});
    std::vector<int> reductions;
    for (const JsonValue& position : row.value.find("reductions")->items)
      reductions.push_back(static_cast<int>(position.integer));
    CHECK(alphas.reductions == reductions);
  }
}

TEST_CASE("a baseline's operations start at 10, in the rows that its positions share", "[space][ddarts]") {
  const auto space = test::described_space("dartopti");
  SpaceConfig config;
  config.layers = 4;
  config.operations = space->defaults().operations;
  config.baseline = published("ResNet18");
  const NetworkGraph graph = space->search(config);
  const AlphaSet& set = graph.alphas.front();
  CHECK(set.rows == std::vector<int>{0, 0, 0, 0});
  CHECK(set.shape() == std::vector<std::int64_t>{1, 14, 12});
  REQUIRE(set.start.size() == 14 * 12);
  const auto genes = config.baseline->cells[0].genes.size();
  CHECK(static_cast<std::size_t>(std::count(set.start.begin(), set.start.end(), 10.0)) == genes);
  for (const Gene& gene : config.baseline->cells[0].genes) {
    const auto edge =
        std::find(set.topology.edges.begin(), set.topology.edges.end(), CellTopology::Edge{gene.from, gene.to}) -
        set.topology.edges.begin();
    const auto operation =
        std::find(config.operations.begin(), config.operations.end(), gene.operation) - config.operations.begin();
    CHECK(set.start[static_cast<std::size_t>(edge * 12 + operation)] == 10.0);
  }
  for (const Edge& edge : cell_of(graph, 3).edges)
    if (const auto* choice = std::get_if<Choice>(&edge.does)) CHECK(choice->alphas.cell == 0);
  config.baseline->sequence.reset();
  config.baseline->cells.resize(4, config.baseline->cells[0]);
  for (std::size_t i = 0; i < 4; ++i) config.baseline->cells[i].name = std::to_string(i);
  const NetworkGraph own = space->search(config);
  for (const Edge& edge : cell_of(own, 3).edges)
    if (const auto* choice = std::get_if<Choice>(&edge.does)) CHECK(choice->alphas.cell == 3);
}

TEST_CASE("the last four nodes of a searched cell make its output", "[space][ddarts]") {
  const auto space = test::described_space("ddarts");
  SpaceConfig config;
  config.operations = space->defaults().operations;
  config.nodes = 6;
  const NetworkGraph graph = space->search(config);
  CHECK(graph.alphas[0].topology.concat == std::vector<int>{4, 5, 6, 7});
  CHECK(cell_of(graph, 0).output == std::vector<int>{6, 7, 8, 9});
}

TEST_CASE("a search that cannot be described is refused", "[space][ddarts][misuse]") {
  const auto refusal = [](const std::function<void(SpaceConfig&)>& change) {
    const auto space = test::described_space("dartopti");
    SpaceConfig config;
    config.layers = 4;
    config.operations = space->defaults().operations;
    config.baseline = published("ResNet18");
    change(config);
    try {
      (void)space->search(config);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal([](SpaceConfig&) {}).empty());
  CHECK(refusal([](SpaceConfig& c) { c.nodes = 0; }) == "space.nodes: expected at least 1, found 0");
  CHECK(refusal([](SpaceConfig& c) { c.layers = 0; }) == "space.layers: expected at least 1, found 0");
  CHECK(refusal([](SpaceConfig& c) { c.classes = 1; }) ==
        "dartopti classifies images: expected at least 2 classes, found 1");
  CHECK(refusal([](SpaceConfig& c) { c.operations.push_back("skip_connect"); }) ==
        "space.ops: 'skip_connect' stands in the list twice");
  CHECK(refusal([](SpaceConfig& c) { c.layers = 5; }) ==
        "space.baseline has 4 cells of 4 nodes, found space.layers=5 and space.nodes=4; set both to the baseline's");
  CHECK(refusal([](SpaceConfig& c) { c.operations = {"skip_connect"}; }).rfind("space.ops lacks ", 0) == 0);
  CHECK(refusal([](SpaceConfig& c) {
          c.baseline->cells[0].genes = {{"skip_connect", 0, 3}, {"skip_connect", 3, 2}, {"skip_connect", 0, 5}};
        }) ==
        "space.baseline has skip_connect from node 3 to node 2; the edges of a supernet lead to later nodes, so "
        "number its nodes anew");
}

}  // namespace
