#include "host/genotype/genotype_json.hpp"
#include "host/genotype/genotype_python.hpp"
#include "host/genotype/genotype_text.hpp"

#include "tests/catch.hpp"

using namespace mixop;

namespace {

std::string problem(const std::string& text) {
  try {
    genotype_from_json(text, "g.json", ErrorCode::bad_data);
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::bad_data);
    return e.what();
  }
  return "";
}

std::string unwritable(const Genotype& genotype) {
  try {
    genotype_to_json(genotype);
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::unsupported);
    return e.what();
  }
  return "";
}

/// A normal cell given here beside a sound reduction cell.
std::string image(const std::string& normal, const std::string& concat) {
  return "{\"normal\": " + normal + ", \"normal_concat\": " + concat +
         ", \"reduce\": [[\"a\", 0], [\"b\", 1]], \"reduce_concat\": [2]}";
}

}  // namespace

TEST_CASE("what is no genotype is refused with what was found", "[genotype]") {
  CHECK(problem("[1]") == "g.json:1:1: expected a genotype's object, found a list of 1 item");
  CHECK(problem("{\"a\": 1}") ==
        "g.json:1:1: no genotype: expected the keys normal, normal_concat, reduce, reduce_concat, or recurrent, "
        "concat, or "
        "genes, concat, reductions, seq, or NAME, NAME_concat for every cell; found a");
  CHECK(problem("{\"normal\": [[\"a\", 0], [\"b\", 1]]}") ==
        "g.json:1:1: the genotype's key 'normal_concat' is missing");
  CHECK(problem("{\"stage_concat\": [2]}") == "g.json:1:1: the genotype's key 'stage' is missing");
  CHECK(problem("{\"stage\": [], \"stage_concat\": [2], \"stage_inputs\": 0}") ==
        "g.json:1:52: stage_inputs: expected a whole number from 1 to 64, found 0");
  CHECK(problem("{\"stage\": [[\"a\", 2, 0]], \"stage_concat\": [2], \"stage_inputs\": 3}") ==
        "g.json:1:18: stage, gene 0, the node it leads to: expected a whole number from 3 to 1024, found 2");
  CHECK(problem("{\"recurrent\": [[\"a\", 0]]}") == "g.json:1:1: the genotype's key 'concat' is missing");
}

TEST_CASE("genes of the wrong make are refused with their line", "[genotype]") {
  CHECK(problem(image("3", "[2]")) == "g.json:1:12: normal: expected a list, found 3");
  CHECK(problem(image("[[\"a\", 0]]", "[2]")) == "g.json:1:12: normal: expected two genes a node, found 1 genes");
  CHECK(problem(image("[[\"a\", 0],\n[\"a\", 2, 0]]", "[2]")) ==
        "g.json:2:1: normal, gene 1: expected [operation, from], found a list of 3 items");
  CHECK(problem(image("[[1, 0]]", "[2]")) == "g.json:1:14: normal, gene 0: expected an operation's name, found 1");
  CHECK(problem(image("[[\"a\", 0.5]]", "[2]")) ==
        "g.json:1:19: normal, gene 0, the node it comes from: expected a whole number from 0 to 1, found 0.5");
  CHECK(problem(image("[[\"a\", 0], [\"b\", 2]]", "[2]")) ==
        "g.json:1:29: normal, gene 1, the node it comes from: expected a whole number from 0 to 1, found 2");
  CHECK(problem("{\"recurrent\": [[\"tanh\", 1]], \"concat\": [1]}") ==
        "g.json:1:25: recurrent, gene 0, the node it comes from: expected a whole number from 0 to 0, found 1");
  CHECK(problem("{\"genes\": [[[\"a\", 2, 2]]], \"concat\": [2]}") ==
        "g.json:1:13: genes of cell 0, gene 0: a goes from node 2 to itself");
  CHECK(problem("{\"genes\": [[[\"a\", 1, 0]]], \"concat\": [2]}") ==
        "g.json:1:19: genes of cell 0, gene 0, the node it leads to: expected a whole number from 2 to 1024, found 1");
  CHECK(problem("{\"genes\": [[[\"a\", 2, 0], [\"b\", 0]]], \"concat\": [2]}") ==
        "g.json:1:26: genes of cell 0, gene 1: expected [operation, to, from], found a list of 2 items");
  CHECK(problem("{\"genes\": [], \"concat\": [2]}") == "g.json:1:11: genes: no cells");
}

TEST_CASE("a concat must name nodes of the cell, once each", "[genotype]") {
  const std::string genes = "[[\"a\", 0], [\"b\", 1]]";
  CHECK(problem(image(genes, "[]")).find("normal_concat: expected at least one node, found an empty list") !=
        std::string::npos);
  CHECK(problem(image(genes, "[3]")).find("normal_concat: expected a whole number from 0 to 2, found 3") !=
        std::string::npos);
  CHECK(problem(image(genes, "[2, 2]")).find("normal_concat: node 2 is listed twice") != std::string::npos);
  CHECK(problem("{\"genes\": [[[\"a\", 2, 0]]], \"concat\": [1025]}") ==
        "g.json:1:39: concat: expected a whole number from 0 to 1024, found 1025");
  CHECK(problem("{\"genes\": [[[\"a\", 2, 0]]], \"concat\": [2], \"seq\": [0, 1]}") ==
        "g.json:1:54: seq: expected a whole number from 0 to 0, found 1");
  CHECK(problem("{\"genes\": [[[\"a\", 2, 0]]], \"concat\": [2], \"reductions\": [-1]}") ==
        "g.json:1:58: reductions: expected a whole number from 0 to 1024, found -1");
}

TEST_CASE("a genotype of hostile size is refused", "[genotype]") {
  std::string genes = "[[\"a\", 0]";
  for (int i = 0; i < 65536; ++i) genes += ",[\"a\",0]";
  CHECK(problem(image(genes + "]", "[2]")) == "g.json:1:12: normal: 65537 items; at most 65536");
}

TEST_CASE("a genotype whose names no form holds is not written", "[genotype]") {
  const std::string start = "the genotype cannot be written: ";
  const std::vector<Gene> genes{{"a", 0, 2}, {"b", 1, 2}};
  CHECK(unwritable({}) == start + "it has no cells");
  CHECK(unwritable({{{"", genes, {2}}}}) == start + "a cell has no name");
  CHECK(unwritable({{{"normal", genes, {}}}}) == start + "the cell 'normal' has no output");
  const std::string twice = "' stands for two things; its space must call a cell otherwise";
  CHECK(unwritable({{{"a", genes, {2}}, {"a", genes, {2}}}}) == start + "the name 'a" + twice);
  CHECK(unwritable({{{"a", genes, {2}}, {"a_concat", genes, {2}}}}) == start + "the name 'a_concat" + twice);
  CHECK(unwritable({{{"a_inputs", genes, {2}}, {"a", genes, {2}}}}) == start + "the name 'a_inputs" + twice);
}

TEST_CASE("a genotype that its JSON does not give back is known before it is stored", "[genotype]") {
  CHECK_NOTHROW(require_readable({{{"cell", {{"a", 0, 1}}, {1}, 1}}}));
  CHECK_THROWS_WITH(
      require_readable({{{"cell", {{"a", 0, 2000}}, {1}, 1}}}),
      "the genotype cannot be written: its JSON:3:11: cell, gene 0, the node it leads to: expected a whole "
      "number from 1 to 1024, found 2000");
  CHECK_THROWS_WITH(require_readable({{{"reduce", {}, {2}}, {"normal", {}, {2}}}}),
                    Catch::Matchers::StartsWith("the genotype cannot be written: its JSON means another one: "));
}

TEST_CASE("what Python cannot hold is not written as Python", "[genotype]") {
  const std::vector<Gene> genes{{"a", 0, 2}, {"b", 1, 2}};
  CHECK_THROWS_WITH(genotype_to_python({{{"stage-1", genes, {2}}}}),
                    "the genotype cannot be written as Python: 'stage-1' is no name in Python; take JSON");
  CHECK_THROWS_WITH(genotype_to_python({{{"0", genes, {2}}, {"1", genes, {3}}}}),
                    "the genotype cannot be written as Python: its cells differ in their concat or inputs; take JSON");
}

TEST_CASE("cells of any names, number and inputs survive JSON and Python and back", "[genotype]") {
  const std::vector<Gene> one_input{{"a", 0, 1}, {"b", 0, 2}, {"c", 1, 2}}, three{{"a", 0, 3}, {"b", 2, 3}};
  for (const Genotype& genotype :
       {Genotype{{{"cell", one_input, {2}, 1}}}, Genotype{{{"stem", three, {3}, 3}, {"body", one_input, {1, 2}, 1}}},
        Genotype{{{"normal", {{"a", 0, 2}, {"b", 1, 2}}, {2}}}},
        Genotype{{{"genes", one_input, {2}, 1}, {"concat", three, {3}, 3}}},
        Genotype{{{"recurrent", {{"tanh", 1, 2}}, {2}, 2}}},
        Genotype{{{"recurrent", {{"tanh", 0, 1}}, {1}, 1}, {"cell", three, {3}, 3}}},
        Genotype{{{"0", one_input, {2}, 1}, {"1", one_input, {2}, 1}}, std::vector{1}}}) {
    const std::string text = genotype_to_json(genotype);
    INFO(text);
    CHECK(genotype_from_json(text, "g.json", ErrorCode::bad_data) == genotype);
    CHECK(genotype_from_text(genotype_to_python(genotype), "g.txt", "", ErrorCode::bad_data).genotype == genotype);
  }
  CHECK(genotype_to_json({{{"cell", {{"a", 0, 1}}, {1}, 1}}}) ==
        "{\n  \"cell\": [\n    [\"a\", 1, 0]\n  ],\n  \"cell_concat\": [1],\n  \"cell_inputs\": 1\n}");
}

TEST_CASE("cells by position that differ in their outputs or inputs survive JSON and back", "[genotype]") {
  const Genotype genotype{
      {{"0", {{"a", 0, 2}}, {2}}, {"1", {{"b", 0, 1}}, {1}, 1}}, std::vector{1}, std::vector{0, 0, 1}};
  const std::string text = genotype_to_json(genotype);
  INFO(text);
  CHECK(genotype_from_json(text, "g.json", ErrorCode::bad_data) == genotype);
}

TEST_CASE("cells of any number of genes a node survive JSON and back", "[genotype]") {
  const CellGenotype odd{"normal", {{"a", 1, 3}, {"b", 0, 3}, {"c", 3, 2}}, {2, 3}}, none{"reduce", {}, {2, 3}};
  const CellGenotype recurrent{"recurrent", {{"tanh", 0, 2}, {"relu", 0, 2}}, {1, 2}, 1};
  for (const Genotype& genotype :
       {Genotype{{odd, none}}, Genotype{{recurrent}}, Genotype{{CellGenotype{"recurrent", {}, {1}, 1}}}}) {
    const std::string text = genotype_to_json(genotype);
    INFO(text);
    CHECK(genotype_from_json(text, "g.json", ErrorCode::bad_data) == genotype);
    CHECK(genotype_from_text(genotype_to_python(genotype), "g.txt", "", ErrorCode::bad_data).genotype == genotype);
  }
}

TEST_CASE("an image genotype survives JSON and back", "[genotype]") {
  const std::string text =
      "{\n  \"normal\": [\n    [\"sep_conv_3x3\", 0],\n    [\"skip_connect\", 1],\n    [\"none\", 2],\n    [\"none\", "
      "0]\n  ],\n"
      "  \"normal_concat\": [2, 3],\n  \"reduce\": [\n    [\"a\", 0],\n    [\"b\", 1]\n  ],\n  \"reduce_concat\": "
      "[2]\n}";
  const Genotype genotype = genotype_from_json(text, "g.json", ErrorCode::bad_data);
  CHECK(genotype.find("normal")->genes[2] == Gene{"none", 2, 3});
  CHECK(genotype.find("reduce")->concat == std::vector<int>{2});
  CHECK(genotype_to_json(genotype) == text);
}

TEST_CASE("a recurrent genotype survives JSON and back", "[genotype]") {
  const Genotype genotype = genotype_from_json(
      "{\"recurrent\": [[\"tanh\", 0], [\"relu\", 1], [\"identity\", 1]], \"concat\": [1, 2, 3], "
      "\"scale\": 1}",
      "g.json", ErrorCode::bad_data);
  REQUIRE(genotype.cells.size() == 1);
  CHECK(genotype.cells[0].genes[2] == Gene{"identity", 1, 3});
  CHECK(genotype_from_json(genotype_to_json(genotype), "g.json", ErrorCode::bad_data) == genotype);
}

TEST_CASE("a genotype by position survives JSON and back", "[genotype]") {
  const std::string open =
      "{\"genes\": [[[\"a\", 2, 0]], [[\"b\", 3, 2], [\"c\", 2, 1]]], \"concat\": [2], \"reductions\": ";
  const Genotype known = genotype_from_json(open + "[1]}", "g.json", ErrorCode::bad_data);
  CHECK(known.cells[1].name == "1");
  CHECK(known.cells[1].genes[0] == Gene{"b", 2, 3});
  CHECK(known.reductions == std::vector<int>{1});
  CHECK(genotype_from_json(genotype_to_json(known), "g.json", ErrorCode::bad_data) == known);
  const Genotype unknown = genotype_from_json(open + "null}", "g.json", ErrorCode::bad_data);
  CHECK_FALSE(unknown.reductions.has_value());
  CHECK(genotype_to_json(unknown).find("\"reductions\": null") != std::string::npos);
}

TEST_CASE("cells that repeat survive JSON and back", "[genotype]") {
  const Genotype genotype = genotype_from_json(
      "{\"genes\": [[[\"a\", 2, 0]], [[\"b\", 2, 0]]], \"concat\": [2, 5], \"reductions\": [1, 2], \"seq\": [0, 0, 1]}",
      "g.json", ErrorCode::bad_data);
  CHECK(genotype.sequence == std::vector<int>{0, 0, 1});
  CHECK(genotype.positions() == 3);
  CHECK(genotype_from_json(genotype_to_json(genotype), "g.json", ErrorCode::bad_data) == genotype);
  const Genotype single =
      genotype_from_json("{\"genes\": [[[\"a\", 2, 0]]], \"concat\": [2], \"seq\": []}", "g.json", ErrorCode::bad_data);
  CHECK_FALSE(single.sequence.has_value());
}

TEST_CASE("a cell by position may be empty, and its genes stand in any order", "[genotype]") {
  const Genotype genotype = genotype_from_json("{\"genes\": [[], [[\"a\", 5, 0], [\"b\", 3, 5]]], \"concat\": [2, 3]}",
                                               "g.json", ErrorCode::bad_data);
  CHECK(genotype.cells[0].genes.empty());
  CHECK(genotype.cells[1].genes[1] == Gene{"b", 5, 3});
  CHECK(genotype_from_json(genotype_to_json(genotype), "g.json", ErrorCode::bad_data) == genotype);
}

TEST_CASE("pairs in a genotype by position mean two genes a node", "[genotype]") {
  const Genotype genotype =
      genotype_from_json("{\"genes\": [[[\"a\", 0], [\"b\", 1], [\"c\", 2], [\"d\", 0]]], \"concat\": [2, 3]}",
                         "g.json", ErrorCode::bad_data);
  CHECK(genotype.cells[0].genes[2] == Gene{"c", 2, 3});
}
