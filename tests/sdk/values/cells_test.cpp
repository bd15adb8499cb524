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

}  // namespace
