#pragma once

#include <string>
#include <vector>

#include "mixop/genotype.hpp"
#include "mixop/graph.hpp"

// What spaces of cells share.

namespace mixop {

/// The densely connected cell of NASNet and DARTS: every intermediate node has an edge from each node before it.
CellTopology dense_cell(std::string name, int inputs, int nodes, std::vector<std::string> operations);

/// Throws a usage error unless there are candidate operations and none stands in the list twice.
void check_operations(const std::vector<std::string>& operations);

/// A cell without the nodes that nothing feeds, as FairDARTS builds what its threshold leaves: they are no part of its
/// output, and operations from them are dropped.
CellGenotype fed_cell(const CellGenotype& cell);

/// A cell of a genotype, and where its alphas are.
struct NamedCell {
  std::string name;  ///< of shared alphas the topology's name, otherwise the cell's position
  const CellTopology* topology;
  std::size_t set;
  std::int64_t row;  ///< of the set's tensor; -1 for shared alphas
};

/// The cells that alpha sets stand for: one for shared alphas, one a position otherwise.
std::vector<NamedCell> named_cells(const std::vector<AlphaSet>& alphas);

}  // namespace mixop
