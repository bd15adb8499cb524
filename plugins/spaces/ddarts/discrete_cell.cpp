#include "discrete_cell.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace mixop::ddarts {
namespace {

constexpr int kInputs = 2;

template <class Nodes>
auto find_node(Nodes& nodes, int index) {
  return std::find_if(nodes.begin(), nodes.end(), [&](const auto& node) { return node.index == index; });
}

/// Behind the last operation of the same source, or at the end.
void insert_by_source(std::vector<ListedNode::Operation>& operations, ListedNode::Operation operation) {
  const auto last = std::find_if(operations.rbegin(), operations.rend(),
                                 [&](const ListedNode::Operation& other) { return other.from == operation.from; });
  operations.insert(last == operations.rend() ? operations.end() : last.base(), std::move(operation));
}

}  // namespace

std::vector<ListedNode> listed_nodes(const CellGenotype& cell) {
  std::vector<ListedNode> nodes;
  for (const Gene& gene : cell.genes) {
    if (find_node(nodes, gene.to) == nodes.end()) nodes.push_back({gene.to, {}});
    insert_by_source(find_node(nodes, gene.to)->operations, {gene.operation, gene.from, false});
  }
  for (auto node = nodes.begin(); node != nodes.end(); ++node)
    for (ListedNode::Operation& operation : node->operations)
      operation.runs = operation.from < kInputs || std::any_of(nodes.begin(), node, [&](const ListedNode& before) {
                         return before.index == operation.from;
                       });
  return nodes;
}

Cell listed_cell(const CellGenotype& genotype, const CellPlace& place) {
  Cell cell = preprocessed_cell(place, /*affine=*/true);
  cell.drop_path = DropPath::nodes;
  label_nodes(cell, kInputs - 1);
  const std::vector<ListedNode> nodes = listed_nodes(genotype);
  std::map<int, int> numbers;  // in the cell, by the genotype's own
  const auto number = [&](int index) {
    if (index < kInputs) return node_of(index);
    const auto [place_of, added] = numbers.try_emplace(index, static_cast<int>(cell.labels.size()));
    if (added) cell.labels.push_back(std::to_string(index));
    return place_of->second;
  };
  for (const ListedNode& node : nodes) cell.output.push_back(number(node.index));
  for (const ListedNode& node : nodes) {
    std::map<int, int> counts;
    for (const auto& [name, from, runs] : node.operations) {
      const std::string own =
          "_ops." + std::to_string(node.index) + "." + std::to_string(from) + "." + std::to_string(counts[from]++);
      cell.edges.push_back(
          {own, number(from), number(node.index), NamedOp{name, spec_at(place, from, /*affine=*/true)}, runs});
    }
  }
  return cell;
}

}  // namespace mixop::ddarts
