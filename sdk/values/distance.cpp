#include "mixop/distance.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "mixop/error.hpp"

namespace mixop {
namespace {

/// The operations of an edge, as positions in the table of weights.
using Edge = std::set<std::size_t>;

const OperationWeight* find(const std::vector<OperationWeight>& weights, const std::string& operation) {
  const auto found = std::find_if(weights.begin(), weights.end(),
                                  [&](const OperationWeight& known) { return known.operation == operation; });
  return found == weights.end() ? nullptr : &*found;
}

std::size_t position_of(const std::vector<OperationWeight>& weights, const std::string& operation) {
  if (const OperationWeight* known = find(weights, operation)) return static_cast<std::size_t>(known - weights.data());
  std::string names;
  for (const OperationWeight& known : weights) names += (names.empty() ? "" : ", ") + known.operation;
  throw Error(ErrorCode::usage, "the operation '" + operation +
                                    "' has no weight in the architecture distance; those of " + names + " are known");
}

double sum_of(const std::vector<OperationWeight>& weights) {
  return std::accumulate(weights.begin(), weights.end(), 0.0,
                         [](double sum, const OperationWeight& known) { return sum + known.weight; });
}

/// The nodes of a genotype's cells, inputs included: as far as their concat or their genes name any.
int node_count(const Genotype& genotype) {
  int last = 1;
  for (const CellGenotype& cell : genotype.cells) {
    for (const int node : cell.concat) last = std::max(last, node);
    for (const Gene& gene : cell.genes) last = std::max({last, gene.to, gene.from});
  }
  return last + 1;
}

/// The cells that are compared: of kinds those of one name, of positions those of one place.
std::vector<std::pair<const CellGenotype*, const CellGenotype*>> pairs_of(const Genotype& a, const Genotype& b) {
  std::vector<std::pair<const CellGenotype*, const CellGenotype*>> pairs;
  const bool by_name = !a.by_position() && !b.by_position();
  for (std::size_t i = 0; i < a.cells.size(); ++i) {
    const CellGenotype* other = by_name ? b.find(a.cells[i].name) : i < b.cells.size() ? &b.cells[i] : nullptr;
    if (other != nullptr) pairs.emplace_back(&a.cells[i], other);
  }
  return pairs;
}

/// The edges of a cell as a set; among them the empty one where the densely connected cell has an edge without an
/// operation.
std::set<Edge> edges_of(const CellGenotype& cell, int nodes, const std::vector<OperationWeight>& weights) {
  std::map<std::pair<int, int>, Edge> edges;
  for (const Gene& gene : cell.genes) edges[{gene.to, gene.from}].insert(position_of(weights, gene.operation));
  std::set<Edge> set;
  std::int64_t used = 0;
  for (const auto& [place, edge] : edges) {
    set.insert(edge);
    used += place.first >= 2 && place.second < place.first ? 1 : 0;
  }
  const std::int64_t all = std::int64_t{nodes} * (nodes - 1) / 2 - 1;
  if (used < all) set.insert(Edge{});
  return set;
}

/// Hamming distance under the weights.
double distance(const Edge& a, const Edge& b, const std::vector<OperationWeight>& weights) {
  std::vector<std::size_t> differing;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(differing));
  double apart = 0;
  for (const std::size_t operation : differing) apart += weights[operation].weight;
  return apart / sum_of(weights);
}

/// How far the farthest edge of `from` is from the nearest one of `to`.
double directed_hausdorff(const std::set<Edge>& from, const std::set<Edge>& to,
                          const std::vector<OperationWeight>& weights) {
  double farthest = 0;
  for (const Edge& edge : from) {
    double nearest = std::numeric_limits<double>::infinity();
    for (const Edge& other : to) nearest = std::min(nearest, distance(edge, other, weights));
    farthest = std::max(farthest, nearest);
  }
  return farthest;
}

}  // namespace

const std::vector<OperationWeight>& dartopti_weights() {
  static const std::vector<OperationWeight> table = {
      {"conv_3x1_1x3", 82.105830863444},      {"conv_7x1_1x7", 83.1591640991211},
      {"max_pool_3x3", 82.13416411336264},    {"avg_pool_3x3", 81.56333073120116},
      {"skip_connect", 81.34166406249999},    {"simple_conv_1x1", 81.49166413777668},
      {"simple_conv_3x3", 82.30333082275389}, {"sep_conv_3x3", 83.39583075561525},
      {"sep_conv_5x5", 84.97416410115558},    {"dil_conv_3x3", 82.73583073323566},
      {"dil_conv_5x5", 82.89249749959309},    {"bottleneck_1x3x1", 82.87499756469727},
  };
  return table;
}

bool has_published_weight(const std::string& operation) { return find(dartopti_weights(), operation) != nullptr; }

const std::vector<OperationWeight>& ddarts_weights() {
  static const std::vector<OperationWeight> table = [] {
    std::vector<OperationWeight> seven;
    for (const char* operation : {"max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5",
                                  "dil_conv_3x3", "dil_conv_5x5"})
      seven.push_back(*find(dartopti_weights(), operation));
    return seven;
  }();
  return table;
}

std::vector<OperationWeight> weights_for(const std::set<std::string>& operations) {
  const bool twelve = std::any_of(operations.begin(), operations.end(), [](const std::string& operation) {
    return find(ddarts_weights(), operation) == nullptr && has_published_weight(operation);
  });
  std::vector<OperationWeight> weights = twelve ? dartopti_weights() : ddarts_weights();
  const double mean = sum_of(weights) / static_cast<double>(weights.size());
  for (const std::string& operation : operations)
    if (find(weights, operation) == nullptr) weights.push_back({operation, mean});
  return weights;
}

std::vector<double> cell_distances(const Genotype& a, const Genotype& b, const std::vector<OperationWeight>& weights) {
  std::vector<double> distances;
  const int nodes_a = node_count(a), nodes_b = node_count(b);
  for (const auto& [first, second] : pairs_of(a, b)) {
    const std::set<Edge> one = edges_of(*first, nodes_a, weights), other = edges_of(*second, nodes_b, weights);
    distances.push_back(std::max(directed_hausdorff(one, other, weights), directed_hausdorff(other, one, weights)));
  }
  return distances;
}

double architecture_distance(const Genotype& a, const Genotype& b, const std::vector<OperationWeight>& weights) {
  const std::vector<double> cells = cell_distances(a, b, weights);
  if (cells.empty()) throw Error(ErrorCode::usage, "the architecture distance needs a cell that both genotypes have");
  return std::accumulate(cells.begin(), cells.end(), 0.0) / static_cast<double>(cells.size());
}

}  // namespace mixop
