#include "networks.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "genotypes.hpp"
#include "mixop/cells.hpp"
#include "mixop/error.hpp"
#include "mixop/image_blocks.hpp"

namespace mixop::nasbench201 {
namespace {

constexpr std::int64_t kStages = 3;
constexpr std::size_t kMostOperations = 500'000;  // of all cells

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorCode::usage, message);
}

void check(const SpaceConfig& config) {
  check_config("nasbench201", config);
  require(config.layers % kStages == 0,
          "space.layers: nasbench201 has three stages of as many cells; expected a multiple of 3, such as 15 (the "
          "published 5 a stage), found " +
              std::to_string(config.layers));
  require(config.stem == "auto" || config.stem == "cifar",
          "space.stem: nasbench201 begins with one convolution; expected auto or cifar, found '" + config.stem + "'");
}

/// A residual block of stride 2: two convolutions, beside a 2x2 mean and a 1x1 convolution. The mean takes what there
/// is at the end of an odd side.
Cell residual_block(const ImageShape& input, std::int64_t channels) {
  const auto convolution = [&](std::int64_t in, std::int64_t stride) {
    return relu_conv_norm(
        "", {.in = in, .out = channels, .kernel = {3, 3}, .stride = {stride, stride}, .padding = {1, 1}}, true);
  };
  Structure shortcut;
  shortcut.avg_pool({2, 2}, {2, 2}, {input.height % 2, input.width % 2}).conv({.in = input.channels, .out = channels});
  Cell cell;
  cell.kind = "residual";
  cell.edges.push_back({"conv_a", 0, 1, convolution(input.channels, 2)});
  cell.edges.push_back({"conv_b", 1, 2, convolution(channels, 1)});
  cell.edges.push_back({"downsample", 0, 2, std::move(shortcut)});
  cell.output = {2};
  return cell;
}

/// What both networks are around their cells. `make_cell` gets the cell's channels.
NetworkGraph around(const SpaceConfig& config, const std::function<Cell(std::int64_t)>& make_cell) {
  NetworkGraph graph;
  graph.input = config.input;
  graph.classes = config.classes;
  ImageShape shape{config.channels, config.input.height, config.input.width};
  const auto last = [&] { return static_cast<int>(graph.blocks.size()) - 1; };
  int number = 0;
  std::size_t operations = 0;
  const auto add = [&](Cell cell) {
    operations += cell.edges.size();
    require(operations <= kMostOperations, "the cells of the network have more than " +
                                               std::to_string(kMostOperations) +
                                               " operations: take fewer cells (space.layers) or nodes");
    cell.name = "cells." + std::to_string(number++);
    graph.blocks.push_back({std::move(cell), {last()}});
  };
  graph.blocks.push_back(cifar_stem(config.input.channels, config.channels));
  for (std::int64_t stage = 0; stage < kStages; ++stage) {
    if (stage > 0) {
      add(residual_block(shape, 2 * shape.channels));
      shape = strided({2 * shape.channels, shape.height, shape.width}, 2);
    }
    for (std::int64_t i = 0; i < config.layers / kStages; ++i) add(make_cell(shape.channels));
  }
  Structure end;
  end.batch_norm(shape.channels, true).relu();
  graph.blocks.push_back(fixed_block("lastact", "norm", std::move(end), last()));
  graph.blocks.push_back(classifier(shape, config.classes, 0, last()));
  return graph;
}

CellTopology topology_of(const SpaceConfig& config) {
  require(config.nodes >= 2,
          "space.nodes: nasbench201 counts a cell's input among its nodes; expected at least 2, found " +
              std::to_string(config.nodes));
  check_operations(config.operations);
  CellTopology cell = dense_cell(kCell, 1, static_cast<int>(config.nodes) - 1, config.operations);
  cell.concat = {cell.nodes};
  cell.kept = cell.nodes;
  cell.keeps_none = true;
  return cell;
}

/// As its strings list them, which numbers its layers.
std::vector<Gene> in_order(std::vector<Gene> genes) {
  std::sort(genes.begin(), genes.end(),
            [](const Gene& a, const Gene& b) { return std::pair(a.to, a.from) < std::pair(b.to, b.from); });
  return genes;
}

}  // namespace

NetworkGraph search_network(const SpaceConfig& config) {
  check(config);
  AlphaSet set{"alphas", topology_of(config), {}};
  for (int i = 0; i < static_cast<int>(config.layers); ++i) set.cells.push_back(i);
  NetworkGraph graph = around(config, [&](std::int64_t channels) {
    Cell cell;
    cell.kind = kCell;
    cell.output = set.topology.concat;
    for (std::size_t e = 0; e < set.topology.edges.size(); ++e) {
      const auto& [from, to] = set.topology.edges[e];
      Choice choice{set.topology.operations, {channels, channels, 1, /*affine=*/false}, {0, 0, static_cast<int>(e)}};
      cell.edges.push_back({"_ops." + std::to_string(e), from, to, std::move(choice)});
    }
    return cell;
  });
  graph.outputs.push_back({static_cast<int>(graph.blocks.size()) - 1});
  graph.alphas.push_back(std::move(set));
  return graph;
}

NetworkGraph discrete_network(const SpaceConfig& config, const CellGenotype& genotype) {
  check(config);
  NetworkGraph graph = around(config, [&](std::int64_t channels) {
    Cell cell;
    cell.kind = kCell;
    cell.output = genotype.concat;
    cell.drop_path = DropPath::operations;
    for (const Gene& gene : in_order(genotype.genes))
      cell.edges.push_back({"layers." + std::to_string(cell.edges.size()), gene.from, gene.to,
                            NamedOp{gene.operation, {channels, channels, 1, /*affine=*/true}}});
    return cell;
  });
  graph.outputs.push_back({static_cast<int>(graph.blocks.size()) - 1, 1, false, config.label_smoothing});
  return graph;
}

}  // namespace mixop::nasbench201
