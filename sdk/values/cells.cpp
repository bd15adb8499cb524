#include "mixop/cells.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr int kMostNodes = 256;

}  // namespace

CellTopology dense_cell(std::string name, int inputs, int nodes, std::vector<std::string> operations) {
  if (nodes > kMostNodes)
    throw Error(ErrorCode::usage, "space.nodes: expected at most " + std::to_string(kMostNodes) + ", found " +
                                      std::to_string(nodes) + "; a cell has an edge between any two");
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

CellGenotype fed_cell(const CellGenotype& cell) {
  std::set<int> fed;
  for (int node = 0; node < cell.inputs; ++node) fed.insert(node);
  for (std::size_t before = 0; before != fed.size();) {
    before = fed.size();
    for (const Gene& gene : cell.genes)
      if (fed.count(gene.from) != 0) fed.insert(gene.to);
  }
  CellGenotype kept{cell.name, {}, {}, cell.inputs};
  for (const Gene& gene : cell.genes)
    if (fed.count(gene.from) != 0) kept.genes.push_back(gene);
  for (const int node : cell.concat)
    if (fed.count(node) != 0) kept.concat.push_back(node);
  return kept;
}

std::vector<NamedCell> named_cells(const std::vector<AlphaSet>& alphas) {
  std::vector<NamedCell> cells;
  for (std::size_t i = 0; i < alphas.size(); ++i) {
    const CellTopology& topology = alphas[i].topology;
    if (alphas[i].weighs) continue;
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
