#include "mixop/supernet/topology.hpp"

#include <algorithm>
#include <utility>

#include "mixop/error.hpp"

namespace mixop::supernet {

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

}  // namespace mixop::supernet
