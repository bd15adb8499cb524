#include "discrete_cell.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>

#include "mixop/random.hpp"
#include "mixop/supernet/layers.hpp"

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

ListedCell::ListedCell(const CellGenotype& genotype, const supernet::CellPlace& place, const OperatorCatalog& operators)
    : preprocess_(place, /*affine=*/true) {
  part_.kind = place.reduction ? "reduce" : "normal";
  const ImageShape input = preprocess_.measure(place, part_.layers);
  const ImageShape inner = strided(input, place.reduction ? 2 : 1);
  std::size_t terms = 0;
  std::vector<int> concat;
  for (const ListedNode& listed : listed_nodes(genotype)) {
    Node& node = nodes_.emplace_back(Node{listed.index, {}});
    std::map<int, int> numbers;
    for (const auto& [name, from, runs] : listed.operations) {
      OperatorInstance operation(operators.find_operator(name, Domain::image), name,
                                 {place.channels, supernet::stride_of(place, from), /*affine=*/true});
      Cost cost = operation.cost(from < kInputs ? input : inner);
      if (!runs) cost = {cost.parameters, 0, 0, {}};
      terms += runs ? 1 : 0;
      const std::string own =
          "_ops." + std::to_string(listed.index) + "." + std::to_string(from) + "." + std::to_string(numbers[from]++);
      part_.layers.push_back(
          {own, name + " " + supernet::edge_name(from, listed.index) + (runs ? "" : ", never run"), inner, cost});
      node.steps.push_back({from, own + ".", runs, std::move(operation)});
    }
    concat.push_back(listed.index);
  }
  part_.layers.push_back(supernet::output_layer(inner, terms, nodes_.size(), concat));
  part_.output = part_.layers.back().output;
}

at::Tensor ListedCell::forward(const at::Tensor& older, const at::Tensor& newer, const at::Tensor&, const Pass& pass,
                               std::uint64_t key) const {
  const std::vector<at::Tensor> inputs = preprocess_.forward(older, newer, pass);
  std::map<int, at::Tensor> states{{0, inputs[0]}, {1, inputs[1]}};
  std::vector<at::Tensor> outputs;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    at::Tensor sum;
    for (const Step& step : nodes_[i].steps) {
      if (!step.runs) continue;
      const at::Tensor y = step.operation.forward(states.at(step.from), pass);
      sum = sum.defined() ? sum.add(y) : y;
    }
    if (pass.training && pass.drop_path > 0) sum = supernet::drop_path(sum, pass.drop_path, key_of({key, i}));
    outputs.push_back(states[nodes_[i].index] = sum);
  }
  return at::cat(outputs, 1);
}

void ListedCell::append_state(std::vector<StateEntry>& to, const std::string& prefix) const {
  preprocess_.append_state(to, prefix);
  for (const Node& node : nodes_)
    for (const Step& step : node.steps) supernet::append_state(to, prefix + step.name, step.operation.state());
}

}  // namespace mixop::ddarts
