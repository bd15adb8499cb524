#include "host/graph/check.hpp"

#include <functional>

#include "mixop/cells.hpp"
#include "mixop/error.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;

/// Two blocks: a convolution, and a cell of one choice and one operator, which is classified.
NetworkGraph sound() {
  NetworkGraph graph;
  graph.input = {3, 8, 8};
  graph.classes = 4;
  Cell stem{.name = "stem", .kind = "stem", .edges = {}, .output = {1}};
  stem.edges.push_back({"", 0, 1, Structure().conv({.in = 3, .out = 4})});
  Cell cell{.name = "cell", .kind = "mixed", .edges = {}, .output = {2}};
  cell.edges.push_back({"a", 0, 1, Choice{{"x", "y"}, {4, 4, 1}, {0, 0, 0}}});
  cell.edges.push_back({"b", 1, 2, NamedOp{"z", {4, 4, 1}}});
  graph.blocks = {{stem, {-1}}, {cell, {0}}};
  graph.outputs = {{1}};
  graph.alphas.push_back({"alphas", dense_cell("mixed", 1, 1, {"x", "y"}), {0}});
  return graph;
}

std::string problem(const std::function<void(NetworkGraph&)>& change) {
  NetworkGraph graph = sound();
  change(graph);
  try {
    check(graph);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::plugin);
    return error.what();
  }
  return "";
}

Cell& cell_of(NetworkGraph& graph) { return graph.blocks[1].cell; }
Choice& choice_of(NetworkGraph& graph) { return std::get<Choice>(cell_of(graph).edges[0].does); }

TEST_CASE("a sound description passes", "[graph][check]") {
  CHECK(problem([](NetworkGraph&) {}).empty());
  CHECK(problem([](NetworkGraph& g) {  // what never runs may read what nothing feeds
          cell_of(g).edges.push_back({"c", 7, 2, NamedOp{"z", {4, 4, 1}}, false});
        })
            .empty());
}

TEST_CASE("a description's defect is named with its block and edge", "[graph][check][misuse]") {
  const std::string cell = "the space describes block 1 (cell) ";
  CHECK(problem([](NetworkGraph& g) { g.blocks[1].cell.name = "stem"; }) ==
        "the space describes two blocks of the name 'stem'");
  CHECK(problem([](NetworkGraph& g) { g.blocks[1].reads = {1}; }) ==
        cell + "which reads block 1; expected an earlier block, or -1 for the input");
  CHECK(problem([](NetworkGraph& g) { g.blocks[1].reads = {0, 0}; }) == cell + "with 1 inputs, which reads 2 blocks");
  CHECK(problem([](NetworkGraph& g) { cell_of(g).inputs = 0; }) == cell + "with 0 inputs, expected at least 1");
  CHECK(problem([](NetworkGraph& g) { cell_of(g).edges.clear(); }) == cell + "without edges");
  CHECK(problem([](NetworkGraph& g) { cell_of(g).edges[1].name = "a"; }) == cell + "with two edges of the name 'a'");
  CHECK(problem([](NetworkGraph& g) { cell_of(g).edges[0].to = 0; }) ==
        cell + "with the edge 'a' from node 0 to node 0; nodes count from 0, and the first 1 are inputs");
  CHECK(problem([](NetworkGraph& g) { cell_of(g).edges[1].from = 2; }) ==
        cell + "with the edge 'b' from node 2 to node 2; edges lead to later nodes");
  CHECK(problem([](NetworkGraph& g) {
          cell_of(g).edges[1].to = 4;
          cell_of(g).edges[1].from = 3;
        }) == cell + "with the edge 'b' from node 3 to node 4, but nothing feeds node 3");
  CHECK(problem([](NetworkGraph& g) {
          cell_of(g).edges.push_back({"c", 1, 9, NamedOp{"z", {4, 4, 1}}, false});
        }) == cell + "with the edge 'c' from node 1 to node 9, which never runs, to a node that nothing feeds");
  CHECK(problem([](NetworkGraph& g) { g.blocks[0].cell.edges[0].does = Structure(); }) ==
        "the space describes block 0 (stem) with the edge from node 0 to node 1 with a structure of no stages");
  CHECK(problem([](NetworkGraph& g) { cell_of(g).output.clear(); }) == cell + "without output");
  CHECK(problem([](NetworkGraph& g) { cell_of(g).output = {5}; }) ==
        cell + "with node 5 in its output, which nothing feeds");
}

TEST_CASE("choices that do not fit their alphas are refused", "[graph][check][misuse]") {
  const std::string edge = "the space describes block 1 (cell) with the edge 'a' from node 0 to node 1, ";
  CHECK(problem([](NetworkGraph& g) { choice_of(g).alphas.set = 1; }) == edge + "whose alphas are set 1 of 1");
  CHECK(problem([](NetworkGraph& g) { choice_of(g).alphas.cell = 1; }) ==
        edge + "whose alphas are in row 1 of 1 of alphas");
  CHECK(problem([](NetworkGraph& g) { choice_of(g).alphas.edge = 1; }) ==
        edge + "whose alphas are edge 1 of 1 of alphas");
  CHECK(problem([](NetworkGraph& g) {
          choice_of(g).candidates = {"y", "x"};
        }) == edge + "whose candidates are not those of alphas");
}

TEST_CASE("alpha sets that have no tensor are refused", "[graph][check][misuse]") {
  CHECK(problem([](NetworkGraph& g) { g.alphas.push_back(g.alphas[0]); }) ==
        "the space describes two alpha sets of the name 'alphas'");
  CHECK(problem([](NetworkGraph& g) { g.alphas[0].topology.operations.clear(); }) ==
        "the space describes the alpha set alphas without edges or operations");
  CHECK(problem([](NetworkGraph& g) {
          g.alphas[0].rows = {0, 1};
        }) == "the space describes the alpha set alphas with rows for 2 of 1 cells");
  CHECK(problem([](NetworkGraph& g) { g.alphas[0].rows = {-1}; }) ==
        "the space describes the alpha set alphas with row -1");
  CHECK(problem([](NetworkGraph& g) {
          g.alphas[0].start = {1, 2, 3};
        }) == "the space describes the alpha set alphas with 3 start values, expected 2");
}

TEST_CASE("outputs that are not there are refused", "[graph][check][misuse]") {
  CHECK(problem([](NetworkGraph& g) { g.outputs[0].block = 2; }) == "the space describes an output of block 2 of 2");
  CHECK(problem([](NetworkGraph& g) { g.outputs[0].training_only = true; }) ==
        "the space describes a network without an output that is evaluated");
  CHECK(problem([](NetworkGraph& g) { g.domain = Domain::recurrent; }) ==
        "the space describes a recurrent network without a language model");
  CHECK(problem([](NetworkGraph& g) { g.language_model.emplace(); }) ==
        "the space describes a language model of 2 blocks and 1 outputs, expected one block and no output");
}

TEST_CASE("alpha sets that no choice reads are listed", "[graph][check]") {
  NetworkGraph graph = sound();
  CHECK(unused_alphas(graph).empty());
  graph.alphas.push_back({"spare", dense_cell("mixed", 1, 1, {"x", "y"}), {}});
  CHECK(unused_alphas(graph) == std::vector<std::string>{"spare"});
}

}  // namespace
