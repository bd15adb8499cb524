#include <algorithm>
#include <utility>

#include "discrete_check.hpp"
#include "discrete_network.hpp"
#include "mixop/cells.hpp"
#include "mixop/image_blocks.hpp"
#include "networks.hpp"

namespace mixop::ddarts {
namespace {

constexpr int kInputs = 2, kMostEnds = 4;
constexpr double kUsed = 10;  // alpha of an operation that the baseline uses; the others start at 0

/// The densely connected cell of which the last four nodes make the output.
CellTopology topology_of(const SpaceConfig& config) {
  CellTopology cell = dense_cell("cell", kInputs, static_cast<int>(config.nodes), config.operations);
  if (cell.concat.size() > kMostEnds) cell.concat.erase(cell.concat.begin(), cell.concat.end() - kMostEnds);
  return cell;
}

std::int64_t nodes_of(const Genotype& genotype) {
  int last = kInputs;
  for (const CellGenotype& cell : genotype.cells) {
    for (const Gene& gene : cell.genes) last = std::max(last, gene.to);
    for (const int node : cell.concat) last = std::max(last, node);
  }
  return last - kInputs + 1;
}

void check_baseline(const std::string& space, const SpaceConfig& config) {
  check_genotype(space, *config.baseline);
  const auto layers = static_cast<std::int64_t>(config.baseline->positions()), nodes = nodes_of(*config.baseline);
  require(config.layers == layers && config.nodes == nodes,
          "space.baseline has " + std::to_string(layers) + " cells of " + std::to_string(nodes) +
              " nodes, found space.layers=" + std::to_string(config.layers) +
              " and space.nodes=" + std::to_string(config.nodes) + "; set both to the baseline's");
}

/// Row and column of a gene in its cell's alphas.
std::pair<std::size_t, std::size_t> place_of(const Gene& gene, const CellTopology& cell) {
  const auto edge = std::find_if(cell.edges.begin(), cell.edges.end(), [&](const CellTopology::Edge& candidate) {
    return candidate.from == gene.from && candidate.to == gene.to;
  });
  require(edge != cell.edges.end(), "space.baseline has " + gene.operation + " from node " + std::to_string(gene.from) +
                                        " to node " + std::to_string(gene.to) +
                                        "; the edges of a supernet lead to later nodes, so number its nodes anew");
  const auto operation = std::find(cell.operations.begin(), cell.operations.end(), gene.operation);
  require(
      operation != cell.operations.end(),
      "space.ops lacks " + gene.operation + ", which space.baseline uses; append it by space.ops=+" + gene.operation);
  return {static_cast<std::size_t>(edge - cell.edges.begin()),
          static_cast<std::size_t>(operation - cell.operations.begin())};
}

std::vector<double> start_of(const Genotype& baseline, const CellTopology& cell) {
  const std::size_t columns = cell.operations.size(), row = cell.edges.size() * columns;
  std::vector<double> start(baseline.cells.size() * row, 0);
  for (std::size_t i = 0; i < baseline.cells.size(); ++i)
    for (const Gene& gene : baseline.cells[i].genes) {
      const auto [edge, operation] = place_of(gene, cell);
      start[i * row + edge * columns + operation] = kUsed;
    }
  return start;
}

std::size_t numbers_in(const std::vector<std::int64_t>& shape) {
  std::size_t numbers = 1;
  for (const std::int64_t side : shape) numbers *= static_cast<std::size_t>(side);
  return numbers;
}

std::vector<bool> reductions_for(const SpaceConfig& config) {
  return reductions_of(config.baseline.value_or(Genotype{}), static_cast<std::size_t>(config.layers));
}

}  // namespace

AlphaSet alpha_set(const std::string& space, const SpaceConfig& config) {
  require(config.nodes >= 1, "space.nodes: expected at least 1, found " + std::to_string(config.nodes));
  check_operations(config.operations);
  AlphaSet set{"alphas", topology_of(config), {}, /*per_cell=*/true};
  const std::vector<bool> reductions = reductions_for(config);
  set.reductions.emplace();
  for (int i = 0; i < static_cast<int>(config.layers); ++i) {
    set.cells.push_back(i);
    if (reductions[static_cast<std::size_t>(i)]) set.reductions->push_back(i);
  }
  if (config.baseline) {
    check_baseline(space, config);
    set.rows = config.baseline->sequence.value_or(std::vector<int>{});
    set.start = start_of(*config.baseline, set.topology);
    set.start.resize(numbers_in(set.shape()));  // the sequence may leave the last cells out
  }
  return set;
}

NetworkGraph search_network(const std::string& space, const SpaceConfig& config) {
  check_config(space, config);
  const AlphaSet set = alpha_set(space, config);
  ImageNetworkSpec spec;
  spec.space = config;
  spec.space.auxiliary = false;
  spec.space.label_smoothing = 0;
  spec.reductions = reductions_for(config);
  spec.stem_halvings = 2;
  const auto make_cell = [&](std::size_t i, const CellPlace& place) {
    return search_cell(set.topology, place, 0, set.row_of(i));
  };
  return image_network(spec, make_cell, {set});
}

}  // namespace mixop::ddarts
