#include "host/graph/draw.hpp"

#include <set>

#include "tests/catch.hpp"

namespace {

using namespace mixop;
using Catch::Matchers::Contains;

Genotype one_cell() { return {{{"normal", {{"skip_connect", 0, 2}, {"sep_conv_3x3", 1, 2}}, {2}}}, {}}; }

TEST_CASE("a drawing has the inputs, the nodes, the operations on the edges and the output", "[draw]") {
  const std::string dot = to_dot(one_cell(), {"a title", {}});
  CHECK_THAT(dot, Contains("label=\"a title\"") && Contains("label=\"c_{k-2}\"") && Contains("label=\"c_{k-1}\""));
  CHECK_THAT(dot, Contains("\"cell0n0\" -> \"cell0g0\"") && Contains("\"cell0g0\" -> \"cell0n2\"") &&
                      Contains("\"cell0g0\" [label=\"skip_connect\""));
  CHECK_THAT(dot, Contains("\"cell0n1\" -> \"cell0g1\"") && Contains("\"cell0g1\" [label=\"sep_conv_3x3\""));
  CHECK_THAT(dot, Contains("\"cell0n2\" -> \"cell0out\""));
}

TEST_CASE("strengths stand beside the operations and set the lines' width", "[draw]") {
  const std::string dot = to_dot(one_cell(), {"", {{0.25, 1.0}}});
  CHECK_THAT(dot, Contains("skip_connect 0.250") && Contains("penwidth=2.30"));
  CHECK_THAT(dot, Contains("sep_conv_3x3 1.000") && Contains("penwidth=6.80"));
}

TEST_CASE("names that hold quotes, line ends and control characters do not end a label", "[draw]") {
  Genotype genotype = one_cell();
  genotype.cells[0].genes[0].operation = "a\"b\\c";
  CHECK_THAT(to_dot(genotype), Contains("label=\"a\\\"b\\\\c\""));
  genotype.cells[0].genes[0].operation = "a\n\x1b]\xff";
  CHECK_THAT(to_dot(genotype, {"t\r", {}}),
             Contains("label=\"a\\\\x0a\\\\x1b]\\\\xff\"") && Contains("label=\"t\\\\x0d\""));
}

TEST_CASE("operations have colours of their own", "[draw]") {
  const std::vector<std::string> names = {"none",         "max_pool_3x3", "avg_pool_3x3", "skip_connect",
                                          "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5",
                                          "acme.a",       "acme.b"};
  Genotype genotype{{{"normal", {}, {2}}}};
  for (const std::string& name : names) genotype.cells[0].genes.push_back({name, 0, 2});
  const std::string dot = to_dot(genotype);
  std::set<std::string> colours;
  for (const std::string& name : names) {
    const auto at = dot.find("[label=\"" + name + "\", fillcolor=white, color=\"#");
    REQUIRE(at != std::string::npos);
    colours.insert(dot.substr(dot.find('#', at), 7));
  }
  CHECK(colours.size() == names.size());
}

TEST_CASE("nodes of one depth stand below each other in their order", "[draw]") {
  const std::string dot = to_dot({{{"normal", {{"a", 0, 2}, {"b", 1, 3}, {"c", 2, 4}, {"d", 0, 5}}, {4}}}});
  CHECK_THAT(dot, Contains("{ rank=same; \"cell0n2\" -> \"cell0n3\" [style=invis]; }") &&
                      Contains("{ rank=same; \"cell0n3\" -> \"cell0n5\" [style=invis]; }"));
  CHECK_THAT(dot, !Contains("\"cell0n3\" -> \"cell0n4\""));
}

TEST_CASE("operations are drawn in the order of their nodes", "[draw]") {
  const std::string dot = to_dot({{{"normal", {{"a", 2, 3}, {"b", 1, 2}, {"c", 0, 2}}, {3}}}});
  CHECK(dot.find("\"c\"") < dot.find("\"b\""));
  CHECK(dot.find("\"b\"") < dot.find("\"a\""));
}

TEST_CASE("cells by position are titled by it, and nodes that a cell lacks are left out", "[draw]") {
  Genotype genotype{{{"0", {{"a", 0, 2}, {"b", 1, 4}}, {2, 3, 4}}, {"1", {{"a", 0, 2}}, {2, 3, 4}}}};
  genotype.reductions = std::vector<int>{1};
  const std::string dot = to_dot(genotype);
  CHECK_THAT(dot, Contains("label=\"cell 0\"") && Contains("label=\"cell 1, reduction\""));
  CHECK_THAT(dot, Contains("\"cell0n4\" -> \"cell0out\"") && !Contains("cell0n3") && !Contains("cell1n4"));
  genotype.sequence = std::vector<int>{0, 0, 1};
  CHECK_THAT(to_dot(genotype), Contains("label=\"cell 0 at 0, 1 (reduction)\"") && Contains("\"cell 1 at 2\""));
}

TEST_CASE("many cells stand in rows", "[draw]") {
  Genotype genotype;
  for (int i = 0; i < 8; ++i) genotype.cells.push_back({std::to_string(i), {{"a", 0, 2}}, {2}});
  const std::string dot = to_dot(genotype);
  CHECK_THAT(dot, Contains("\"cell0out\" -> \"cell1n0\" [style=invis]") && Contains("\"cell6out\" -> \"cell7n0\""));
  CHECK_THAT(dot, !Contains("\"cell1out\" -> \"cell2n0\""));
}

TEST_CASE("a recurrent cell has one input", "[draw]") {
  const std::string dot = to_dot({{{"recurrent", {{"tanh", 0, 1}, {"relu", 1, 2}}, {1, 2}, 1}}, {}});
  CHECK_THAT(dot, Contains("label=\"h_{t-1}, x_t\"") && Contains("\"cell0g1\" [label=\"relu\""));
  CHECK_THAT(dot, Contains("label=\"h_t\"") && !Contains("c_{k-2}"));
}

TEST_CASE("cells of any name and number of inputs are drawn", "[draw]") {
  const std::string one = to_dot({{{"cell", {{"a", 0, 1}, {"none", 0, 2}, {"b", 1, 2}}, {2}, 1}}, {}});
  CHECK_THAT(one, Contains("\"cell0n0\" [label=\"in 0\"") && Contains("\"cell0n1\" [label=\"1\""));
  CHECK_THAT(one, Contains("\"cell0out\" [label=\"out\"") && !Contains("c_{k") && !Contains("h_t"));
  CHECK_THAT(one, Contains("color=\"#616161\", penwidth=1.40, style=dotted"));
  const std::string three = to_dot({{{"wide", {{"a", 0, 3}, {"b", 2, 3}}, {3}, 3}}, {}});
  CHECK_THAT(three, Contains("\"in 0\"") && Contains("\"in 1\"") && Contains("\"in 2\"") && !Contains("\"in 3\""));
  CHECK_THAT(three, Contains("rank=same; \"cell0n1\" -> \"cell0n2\""));
}

}  // namespace
