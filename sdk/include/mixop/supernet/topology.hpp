#pragma once

#include <string>
#include <vector>

#include "mixop/network.hpp"

namespace mixop::supernet {

/// The densely connected cell of NASNet and DARTS: every intermediate node has an edge from each node before it.
CellTopology dense_cell(std::string name, int inputs, int nodes, std::vector<std::string> operations);

/// Throws a usage error unless there are candidate operations and none stands in the list twice.
void check_operations(const std::vector<std::string>& operations);

}  // namespace mixop::supernet
