#include <ATen/ATen.h>

#include <algorithm>

#include "discrete_check.hpp"
#include "discrete_network.hpp"
#include "mixop/supernet/image_network.hpp"
#include "mixop/supernet/topology.hpp"
#include "networks.hpp"

namespace mixop::ddarts {
namespace {

constexpr int kInputs = 2, kMostEnds = 4;
constexpr double kUsed = 10;  // alpha of an operation that the baseline uses; the others start at 0

/// The densely connected cell of which the last four nodes make the output.
CellTopology topology_of(const SpaceConfig& config) {
  CellTopology cell = supernet::dense_cell("cell", kInputs, static_cast<int>(config.nodes), config.operations);
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
std::pair<std::int64_t, std::int64_t> place_of(const Gene& gene, const CellTopology& cell) {
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
  return {edge - cell.edges.begin(), operation - cell.operations.begin()};
}

at::Tensor start_of(const Genotype& baseline, const CellTopology& cell) {
  const at::Tensor start =
      at::zeros({static_cast<std::int64_t>(baseline.cells.size()), static_cast<std::int64_t>(cell.edges.size()),
                 static_cast<std::int64_t>(cell.operations.size())});
  for (std::size_t i = 0; i < baseline.cells.size(); ++i)
    for (const Gene& gene : baseline.cells[i].genes) {
      const auto [edge, operation] = place_of(gene, cell);
      start[static_cast<std::int64_t>(i)][edge][operation] = kUsed;
    }
  return start;
}

std::vector<bool> reductions_for(const SpaceConfig& config) {
  return reductions_of(config.baseline.value_or(Genotype{}), static_cast<std::size_t>(config.layers));
}

}  // namespace

std::vector<AlphaDeclaration> declare_alphas(const std::string& space, const SpaceConfig& config) {
  require(config.nodes >= 1, "space.nodes: expected at least 1, found " + std::to_string(config.nodes));
  require(config.layers >= 1, "space.layers: expected at least 1, found " + std::to_string(config.layers));
  supernet::check_operations(config.operations);
  AlphaDeclaration declaration{"alphas", topology_of(config), {}, /*per_cell=*/true};
  const std::vector<bool> reductions = reductions_for(config);
  declaration.reductions.emplace();
  for (int i = 0; i < static_cast<int>(config.layers); ++i) {
    declaration.cells.push_back(i);
    if (reductions[static_cast<std::size_t>(i)]) declaration.reductions->push_back(i);
  }
  if (config.baseline) {
    check_baseline(space, config);
    declaration.rows = config.baseline->sequence.value_or(std::vector<int>{});
    declaration.start = start_of(*config.baseline, declaration.topology);
  }
  return {declaration};
}

std::unique_ptr<Network> make_search_network(const std::string& space, const SpaceConfig& config,
                                             const OperatorCatalog& operators, const EdgeTransform& transform) {
  check_config(space, config);
  const std::vector<AlphaDeclaration> alphas = declare_alphas(space, config);
  supernet::ImageNetworkSpec spec;
  spec.space = config;
  spec.space.auxiliary = false;
  spec.space.label_smoothing = 0;
  spec.reductions = reductions_for(config);
  spec.stem_halvings = 2;
  const auto make_cell = [&](std::size_t, const supernet::CellPlace& place) {
    return std::make_unique<supernet::SearchCell>(alphas.front().topology, place, operators, transform);
  };
  return supernet::make_image_network(spec, make_cell, alphas);
}

}  // namespace mixop::ddarts
