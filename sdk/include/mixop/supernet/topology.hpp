#pragma once

#include <string>
#include <vector>

#include "mixop/network.hpp"

namespace mixop::supernet {

/// The densely connected cell of NASNet and DARTS: every intermediate node has an edge from each node before it.
CellTopology dense_cell(std::string name, int inputs, int nodes, std::vector<std::string> operations);

/// Edges of a dense cell.
int dense_edges(int inputs, int nodes);

/// The number of intermediate nodes of a dense cell with that many edges; -1 where no cell has it.
int nodes_of_dense_cell(int inputs, int edges);

}  // namespace mixop::supernet
