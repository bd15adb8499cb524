#include "mixop/cells.hpp"

#include <algorithm>
#include <utility>

#include "mixop/error.hpp"

namespace mixop {

CellTopology dense_cell(std::string name, int inputs, int nodes, std::vector<std::string> operations) {
  CellTopology cell{std::move(name), inputs, nodes, {}, std::move(operations), {}};
  for (int to = inputs; to < inputs + nodes; ++to) {
    for (int from = 0; from < to; ++from) cell.edges.push_back({from, to});
    cell.concat.push_back(to);
  }
  return cell;
}

void check_operations(const std::vector<std::string>& operations) {
  if (operations.empty())
    throw Error(ErrorCode::usage, "space.ops: expected at least one candidate operation, found none");
  for (auto at = operations.begin(); at != operations.end(); ++at)
    if (std::find(operations.begin(), at, *at) != at)
      throw Error(ErrorCode::usage, "space.ops: '" + *at + "' stands in the list twice");
}

std::vector<NamedCell> named_cells(const std::vector<AlphaSet>& alphas) {
  std::vector<NamedCell> cells;
  for (std::size_t i = 0; i < alphas.size(); ++i) {
    const CellTopology& topology = alphas[i].topology;
    if (!alphas[i].per_cell) {
      cells.push_back({topology.name, &topology, i, -1});
    } else {
      for (std::size_t cell = 0; cell < alphas[i].cells.size(); ++cell)
        cells.push_back({std::to_string(alphas[i].cells[cell]), &topology, i, alphas[i].row_of(cell)});
    }
  }
  return cells;
}

}  // namespace mixop
