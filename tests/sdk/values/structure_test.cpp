#include "mixop/structure.hpp"

#include "tests/catch.hpp"

namespace {

using namespace mixop;

std::vector<std::string> names_of(const Structure& structure) {
  std::vector<std::string> names;
  for (const Stage& stage : structure.stages()) names.push_back(stage.name);
  return names;
}

std::vector<std::vector<int>> inputs_of(const Structure& structure) {
  std::vector<std::vector<int>> inputs;
  for (const Stage& stage : structure.stages()) inputs.push_back(stage.inputs);
  return inputs;
}

using Names = std::vector<std::string>;
using Inputs = std::vector<std::vector<int>>;

TEST_CASE("stages with state are named by their place, as a sequence of modules is", "[structure]") {
  Structure structure("op.");
  structure.relu().conv({.in = 2, .out = 4, .kernel = {3, 3}, .padding = {1, 1}}).batch_norm(4, true);
  CHECK(names_of(structure) == Names{"", "op.1", "op.2"});
  CHECK(inputs_of(structure) == Inputs{{0}, {1}, {2}});
  CHECK(structure.here() == 3);
  CHECK_FALSE(structure.empty());
  CHECK(Structure().empty());
  CHECK(Structure().here() == 0);
}

TEST_CASE("a name takes the place of the position, for one stage, and may be empty", "[structure]") {
  Structure structure("block.");
  structure.name("first").conv({.in = 1, .out = 1}).batch_norm(1, false).name("last").linear(1, 2);
  CHECK(names_of(structure) == Names{"block.first", "block.1", "block.last"});
  CHECK(names_of(Structure("classifier").name("").linear(4, 2)) == Names{"classifier"});
}

TEST_CASE("a stage reads the value before it, or the one that is named", "[structure]") {
  Structure structure;
  structure.relu().from(0).sigmoid().multiply(1).from(1).tanh().add(3).concat({0, 4}).shuffle(2);
  CHECK(inputs_of(structure) == Inputs{{0}, {0}, {2, 1}, {1}, {4, 3}, {0, 4}, {6}});
  CHECK(structure.stages().back().groups == 2);
}

TEST_CASE("a structure behind another reads the values that it moved to, the input included", "[structure]") {
  Structure residual("b.");
  residual.conv({.in = 2, .out = 2}).add(0);
  Structure whole("a.");
  whole.relu().conv({.in = 2, .out = 2}).then(residual);
  CHECK(names_of(whole) == Names{"", "a.1", "b.0", ""});
  CHECK(inputs_of(whole) == Inputs{{0}, {1}, {2}, {3, 2}});
}

TEST_CASE("a factorized reduction splits the channels, the odd one in the second half", "[structure]") {
  const Structure reduce = Structure("r.").relu().factorized_reduce(6, 5);
  CHECK(names_of(reduce) == Names{"", "r.conv_1", "", "r.conv_2", ""});
  CHECK(inputs_of(reduce) == Inputs{{0}, {1}, {1}, {3}, {2, 4}});
  CHECK(reduce.stages()[1].out == 2);
  CHECK(reduce.stages()[3].out == 3);
  CHECK(reduce.stages()[2].kind == StageKind::shift);
}

TEST_CASE("the published blocks have the published names", "[structure]") {
  CHECK(names_of(relu_conv_norm("preprocess0.", {.in = 3, .out = 8}, true)) ==
        Names{"", "preprocess0.op.1", "preprocess0.op.2"});
  CHECK(names_of(relu_reduce_norm("", 4, 8, false)) == Names{"", "conv_1", "", "conv_2", "", "bn"});
}

TEST_CASE("structures are equal where their stages are, whatever built them", "[structure]") {
  const Structure built = relu_conv_norm("", {.in = 3, .out = 8}, true);
  CHECK(Structure::of(built.stages()) == built);
  CHECK_FALSE(relu_conv_norm("", {.in = 3, .out = 8}, false) == built);
  CHECK(Structure().identity().is_only(StageKind::identity));
  CHECK_FALSE(Structure().identity().relu().is_only(StageKind::identity));
}

}  // namespace
