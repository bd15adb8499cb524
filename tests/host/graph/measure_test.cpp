#include "host/graph/measure.hpp"

#include <chrono>
#include <functional>

#include "host/graph/edge_rule.hpp"
#include "mixop/cells.hpp"
#include "mixop/error.hpp"
#include "mixop/image_blocks.hpp"
#include "mixop/structure_operator.hpp"
#include "tests/support/descriptions.hpp"

namespace {

using namespace mixop;
using test::described;
using test::described_space;
using test::DescribedPlugins;
using test::published_genotype;
using test::sizes_of;

/// An operator of a third party with code of its own, which is never run here: one parameter matrix, no description.
struct Blend {
  static inline int made = 0;
  static const MixopOperator& table(bool counts_itself) {
    static MixopOperator plain = make(nullptr),
                         counted = make([](const char*id) -> const void* {
                           static const MixopCostTable cost{
                               sizeof(MixopCostTable), 0,
                               [](const MixopOpSpec* spec, std::int64_t height, std::int64_t width, MixopCost* told,
                                  MixopError*) -> MixopStatus {
                                 told->parameters = spec->in;
                                 told->multiply_adds = height * width;
                                 told->activations = 5;
                                 return MIXOP_OK;
                               }};
                           return std::string(id) == MIXOP_COST_EXTENSION ? &cost : nullptr;
                         });
    return counts_itself ? counted : plain;
  }

 private:
  static MixopOperator make(const void* (*extension)(const char*)) {
    MixopOperator t{};
    t.size = sizeof t;
    t.domain = MIXOP_DOMAIN_IMAGE;
    t.create = [](const MixopOpSpec* spec, MixopOpInstance** instance, MixopError*) -> MixopStatus {
      ++made;
      *instance = reinterpret_cast<MixopOpInstance*>(new MixopOpSpec(*spec));
      return MIXOP_OK;
    };
    t.destroy = [](MixopOpInstance* instance) { delete reinterpret_cast<MixopOpSpec*>(instance); };
    t.forward = [](MixopOpInstance*, MixopTensor, const MixopForward*, MixopTensor*, MixopError*) -> MixopStatus {
      return MIXOP_ERROR_UNSUPPORTED;
    };
    t.state_count = [](MixopOpInstance*) -> std::uint32_t { return 2; };
    t.state = [](MixopOpInstance* instance, std::uint32_t index, MixopState* state, MixopError*) -> MixopStatus {
      const auto& spec = *reinterpret_cast<MixopOpSpec*>(instance);
      state->kind = index == 0 ? MIXOP_STATE_PARAMETER : MIXOP_STATE_BUFFER;
      state->name = index == 0 ? "mix" : "seen";
      state->elements = spec.in * spec.out;
      return MIXOP_OK;
    };
    t.get_extension = extension;
    return t;
  }
};

DescribedPlugins with_blend(bool counts_itself = false) {
  DescribedPlugins plugins = described();
  plugins.add("test.blend", Blend::table(counts_itself));
  return plugins;
}

Genotype darts(const std::string& name) { return published_genotype("darts_cnn", name); }

TEST_CASE("a part stands for each block, under its name and kind", "[graph][measure]") {
  SpaceConfig config = sizes_of(4, 3, 32, 32);
  config.auxiliary = true;
  const MeasuredNetwork measured =
      measure(described_space("darts_cnn")->network(config, darts("DARTS_V2")), described());
  REQUIRE(measured.parts.size() == 6);
  const NetworkPart &stem = measured.parts[0], &reduce = measured.parts[2], &head = measured.parts[4];
  CHECK((stem.name == "stem" && stem.kind == "cifar" && stem.layers.empty()));
  CHECK(stem.output == ImageShape{12, 32, 32});
  CHECK((reduce.name == "cells.1" && reduce.kind == "reduce"));
  CHECK(reduce.output == ImageShape{4 * 8, 16, 16});
  REQUIRE(reduce.layers.size() == 11);
  CHECK((reduce.layers[0].name == "preprocess0" && reduce.layers[0].kind == "older input"));
  CHECK((reduce.layers[1].name == "preprocess1" && reduce.layers[1].kind == "newer input"));
  CHECK((reduce.layers[2].name == "_ops.0" && reduce.layers[2].kind == "max_pool_3x3 0 -> 2"));
  CHECK((reduce.layers[10].name == "output" && reduce.layers[10].kind == "concat 2 3 4 5"));
  CHECK((head.name == "auxiliary_head" && head.kind == "after cells.2" && head.training_only));
  CHECK((measured.parts[5].name == "classifier" && measured.parts[5].kind == "linear"));
  CHECK(measured.parts[5].output == ImageShape{7, 1, 1});
  CHECK(measured.auxiliary_parameters() == head.cost().parameters);
  std::int64_t sum = 0;
  for (const NetworkPart& part : measured.parts) sum += part.cost().parameters;
  CHECK(sum == measured.cost().parameters + measured.auxiliary_parameters());
}

TEST_CASE("what an operator does not report is missing in its layer alone", "[graph][measure]") {
  Genotype genotype = darts("NASNet");
  genotype.cells[0].genes[0].operation = "test.blend";
  const NetworkGraph graph = described_space("darts_cnn")->network(sizes_of(4, 3, 16, 16), genotype);
  const DescribedPlugins operators = with_blend();
  Blend::made = 0;
  const MeasuredNetwork measured = measure(graph, operators);
  CHECK(Blend::made == 1);  // of two cells of one spec: the reduction of three layers comes second and widens the third
  const NetworkPart& blend = measured.parts.at(1).layers.at(2);
  REQUIRE(measured.parts[1].kind == "normal");
  CHECK(blend.kind == "test.blend 1 -> 2");
  CHECK(blend.cost().parameters == 16);
  CHECK(blend.cost().multiply_adds == 0);
  CHECK(blend.cost().activations == 4 * 16 * 16);  // its output alone
  CHECK(blend.cost().uncounted == std::vector<std::string>{"test.blend"});
}

TEST_CASE("an operator that counts itself is believed, and not made", "[graph][measure]") {
  Genotype genotype = darts("NASNet");
  genotype.cells[0].genes[0].operation = "test.blend";
  const DescribedPlugins operators = with_blend(/*counts_itself=*/true);
  Blend::made = 0;
  const MeasuredNetwork measured =
      measure(described_space("darts_cnn")->network(sizes_of(4, 3, 16, 16), genotype), operators);
  CHECK(Blend::made == 0);
  const Cost cost = measured.parts.at(1).layers.at(2).cost();
  CHECK((cost.parameters == 4 && cost.multiply_adds == 256 && cost.activations == 5));
  CHECK(measured.cost().uncounted.empty());
}

TEST_CASE("operators of supernets that are not counted are listed once each", "[graph][measure]") {
  const DescribedPlugins operators = with_blend();
  for (const char* name : {"darts_cnn", "ddarts", "dartopti"}) {
    INFO(name);
    const auto space = described_space(name);
    SpaceConfig config = sizes_of(3, 4, 17, 16);
    config.operations = space->defaults().operations;
    config.operations.push_back("test.blend");
    CHECK(measure(space->search(config), operators).cost().uncounted == std::vector<std::string>(4 * 14, "test.blend"));
  }
}

TEST_CASE("candidates that begin in the same way put their beginning out once", "[graph][measure]") {
  SpaceConfig config = sizes_of(4, 1, 8, 8);
  config.nodes = 2;
  config.operations = {"none", "dil_conv_3x3", "dil_conv_5x5"};
  config.stem = "cifar";
  const NetworkGraph graph = described_space("darts_cnn")->search(config);
  const MeasuredNetwork measured = measure(graph, described());
  const NetworkPart& cell = measured.parts.at(1);
  const auto of = [&](std::size_t edge, std::size_t candidate) {
    return cell.layers.at(2 + edge).layers.at(candidate).cost().activations;
  };
  REQUIRE(cell.kind == "reduce");
  const std::int64_t node = 8 * 4 * 4, input = 8 * 8 * 8;
  CHECK(of(0, 0) == 0);                 // none is not computed
  CHECK(of(0, 1) == input + 3 * node);  // the ReLU of input 0, then two convolutions and a norm
  CHECK(of(0, 2) == 3 * node);
  CHECK(of(2, 1) == 3 * node);  // input 0 again, to the second node
  CHECK(of(4, 1) == 4 * node);  // the first node's own ReLU

  // With partial channels every candidate reads a piece of its own.
  const MeasuredNetwork partial = measure(with_rule(graph, {2}), described());
  const NetworkPart& mixed = partial.parts.at(1).layers.at(2);
  CHECK(mixed.output == ImageShape{4, 4, 4});
  CHECK(mixed.layers.at(2).cost().activations == input / 2 + 3 * node / 2);
  CHECK(partial.parts.at(1).output == cell.output);
  CHECK(partial.cost().parameters < measured.cost().parameters);
}

TEST_CASE("pools of a search are normalised where the choice says so", "[graph][measure]") {
  SpaceConfig config = sizes_of(4, 1, 8, 8);
  config.nodes = 1;
  config.operations = {"max_pool_3x3"};
  NetworkGraph graph = described_space("darts_cnn")->search(config);
  const auto pool = [&] {
    return measure(graph, described()).parts.at(1).layers.at(2).layers.at(0).cost().activations;
  };
  CHECK(pool() == 2 * 8 * 4 * 4);
  for (Edge& edge : graph.blocks[1].cell.edges)
    if (auto* choice = std::get_if<Choice>(&edge.does)) choice->pools_normalised = false;
  CHECK(pool() == 8 * 4 * 4);
}

TEST_CASE("a wide and deep network is measured in well under a second, without its tensors", "[graph][measure]") {
  const auto space = described_space("darts_cnn");
  SpaceConfig config = sizes_of(4096, 200, 32, 32);
  config.operations = space->defaults().operations;
  const auto start = std::chrono::steady_clock::now();
  CHECK(measure(space->search(config), described()).cost().parameters > std::int64_t{1} << 36);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
}

/// A stem and one operator; the change makes it unsound.
std::string refusal(const std::function<void(NetworkGraph&)>& change) {
  NetworkGraph graph;
  graph.input = {3, 8, 8};
  graph.classes = 4;
  Cell cell{.name = "cell", .kind = "", .edges = {}, .output = {2}};
  cell.edges.push_back({"a", 0, 1, NamedOp{"skip_connect", {4, 4, 1}}});
  cell.edges.push_back({"b", 0, 2, NamedOp{"max_pool_3x3", {4, 4, 2}}});
  cell.edges.push_back({"c", 1, 2, NamedOp{"avg_pool_3x3", {4, 4, 2}}});
  graph.blocks = {cifar_stem(3, 4), {cell, {0}}, classifier({4, 4, 4}, 4, 0, 1)};
  graph.outputs = {{2}};
  change(graph);
  try {
    (void)measure(graph, described());
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::plugin);
    return error.what();
  }
  return "";
}

TEST_CASE("shapes that do not fit together are refused with their place", "[graph][measure][misuse]") {
  const std::string start = "the space describes a network that does not fit together: ";
  CHECK(refusal([](NetworkGraph&) {}).empty());
  CHECK(refusal([](NetworkGraph& g) {
          std::get<NamedOp>(g.blocks[1].cell.edges[0].does).spec = {8, 8, 1};
        }) == start + "cell.a is for 8 channels and reads 4x8x8");
  CHECK(refusal([](NetworkGraph& g) { std::get<NamedOp>(g.blocks[1].cell.edges[2].does).spec.stride = 1; }) ==
        start + "cell.c gives 4x8x8 to node 2, which has 4x4x4");
  CHECK(refusal([](NetworkGraph& g) {
          g.blocks[1].cell.output = {1, 2};
        }) == start + "cell concatenates nodes of 4x8x8 and 4x4x4");
  CHECK(refusal([](NetworkGraph& g) { g.input.channels = 1; }) ==
        start + "in stem a convolution of 3 channels reads 1x8x8");
  CHECK(refusal([](NetworkGraph& g) { g.classes = 5; }) == start + "block classifier puts out 4x1x1 for 5 classes");
}

TEST_CASE("an operator whose structure is not what it is asked for is refused", "[graph][measure][misuse]") {
  DescribedPlugins operators = described();
  static const MixopComponent halves = structure_operator<[](const OpSpec&) { return Structure().max_pool(3, 2, 1); }>(
                                  "test.halves"),
                              narrow =
                                  structure_operator<[](const OpSpec&) { return Structure().batch_norm(1, true); }>(
                                      "test.narrow");
  operators.add("test.halves", *static_cast<const MixopOperator*>(halves.table));
  operators.add("test.narrow", *static_cast<const MixopOperator*>(narrow.table));
  const auto with = [&](const std::string& operation) {
    Genotype genotype = darts("DARTS_V1");
    genotype.cells[0].genes[0].operation = operation;
    (void)measure(described_space("darts_cnn")->network(sizes_of(4, 3, 16, 16), genotype), operators);
  };
  CHECK_THROWS_WITH(with("test.halves"),
                    "operator 'test.halves': its structure makes 4x8x8 of 4x16x16, expected 4x16x16");
  CHECK_THROWS_WITH(with("test.narrow"),
                    "operator 'test.narrow': in its structure a batch norm of 1 channels reads 4x16x16");
}

}  // namespace
