#pragma once

#include <string>
#include <vector>

#include "mixop/image_blocks.hpp"

namespace mixop::ddarts {

/// A node of a cell as its list describes it.
struct ListedNode {
  struct Operation {
    std::string name;
    int from;
    bool runs;  ///< its source is an input of the cell or a node before this one
  };
  int index;
  std::vector<Operation> operations;  ///< those of one source together, sources in the order of their first mention
};

/// The nodes of a cell in the order in which they run: that in which the list first names them.
std::vector<ListedNode> listed_nodes(const CellGenotype& cell);

/// A cell of a listed genotype, which has been checked: every node has an operation that runs. Its output is all of its
/// nodes in the order in which they run. An operation whose source has not run by then keeps its parameters, as in the
/// published code, but never runs. Drop-path masks the sum of a node. State is named _ops.<node>.<source>.<number>...
Cell listed_cell(const CellGenotype& genotype, const CellPlace& place);

}  // namespace mixop::ddarts
