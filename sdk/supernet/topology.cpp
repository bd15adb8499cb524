#include "mixop/supernet/topology.hpp"

#include <utility>

namespace mixop::supernet {

CellTopology dense_cell(std::string name, int inputs, int nodes, std::vector<std::string> operations) {
  CellTopology cell{std::move(name), inputs, nodes, {}, std::move(operations), {}};
  for (int to = inputs; to < inputs + nodes; ++to) {
    for (int from = 0; from < to; ++from) cell.edges.push_back({from, to});
    cell.concat.push_back(to);
  }
  return cell;
}

}  // namespace mixop::supernet
