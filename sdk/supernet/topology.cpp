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

int dense_edges(int inputs, int nodes) { return nodes * inputs + nodes * (nodes - 1) / 2; }

int nodes_of_dense_cell(int inputs, int edges) {
  for (int nodes = 1; dense_edges(inputs, nodes) <= edges; ++nodes)
    if (dense_edges(inputs, nodes) == edges) return nodes;
  return -1;
}

}  // namespace mixop::supernet
