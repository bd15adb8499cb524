#include "mixop/cells.hpp"

#include "tests/catch.hpp"

namespace {

using namespace mixop;

TEST_CASE("a dense cell has an edge from every earlier node, ascending", "[topology]") {
  const auto cell = dense_cell("normal", 2, 4, {"none"});
  REQUIRE(cell.edges.size() == 14);
  CHECK(cell.edges[0].from == 0);
  CHECK(cell.edges[0].to == 2);
  CHECK(cell.edges[4].from == 2);
  CHECK(cell.edges[4].to == 3);
  CHECK(cell.edges[13].from == 4);
  CHECK(cell.edges[13].to == 5);
  CHECK(cell.concat == std::vector<int>{2, 3, 4, 5});
  CHECK(dense_cell("recurrent", 1, 8, {}).edges.size() == 36);
}

TEST_CASE("a dense cell of too many nodes is refused before its edges are made", "[topology][misuse]") {
  CHECK_THROWS_WITH(dense_cell("normal", 2, 2147483600, {"none"}),
                    "space.nodes: expected at most 256, found 2147483600; a cell has an edge between any two");
}

TEST_CASE("nodes that nothing feeds are no part of a cell, nor what comes from them", "[topology]") {
  const CellGenotype cell{"normal", {{"a", 0, 2}, {"b", 3, 4}, {"c", 4, 5}, {"d", 1, 5}, {"e", 5, 6}}, {2, 3, 4, 5, 6}};
  const CellGenotype fed = fed_cell(cell);
  CHECK(fed.genes == std::vector<Gene>{{"a", 0, 2}, {"d", 1, 5}, {"e", 5, 6}});
  CHECK(fed.concat == std::vector<int>{2, 5, 6});
  CHECK(fed_cell(fed) == fed);
  CHECK(fed_cell({"normal", {{"a", 2, 3}}, {3}}).genes.empty());
}

}  // namespace
