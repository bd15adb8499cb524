#pragma once

#include <string>
#include <vector>

#include "mixop/error.hpp"
#include "mixop/image_blocks.hpp"
#include "mixop/options.hpp"
#include "mixop/space.hpp"

// A chain: a stem, then space.layers positions of one edge with a choice of their own, which halve the resolution and
// double the channels after one and two thirds of them; pooling and a linear classifier.
class @class@ : public mixop::SearchSpace {
 public:
  explicit @class@(const mixop::Options&) {}

  std::string summary() const override { return "A chain of choices, one a position."; }
  mixop::SpaceDefaults defaults() const override { return {{"skip_connect", "sep_conv_3x3", "dil_conv_3x3", "max_pool_3x3"}}; }

  mixop::NetworkGraph search(const mixop::SpaceConfig& config) const override {
    mixop::AlphaSet set;
    set.name = "alphas";
    set.topology = {.name = "position", .inputs = 1, .nodes = 1, .edges = {{0, 1}}, .operations = config.operations, .concat = {1}};
    set.per_cell = true;
    for (int i = 0; i < static_cast<int>(config.layers); ++i) set.cells.push_back(i);
    return chain(config, {set}, [&](int position, const mixop::OpSpec& spec) -> decltype(mixop::Edge::does) {
      return mixop::Choice{config.operations, spec, {0, position, 0}};
    });
  }

  mixop::NetworkGraph network(const mixop::SpaceConfig& config, const mixop::Genotype& genotype) const override {
    if (!genotype.by_position() || genotype.cells.size() != static_cast<std::size_t>(config.layers))
      throw mixop::Error(mixop::ErrorCode::usage, "@name@: expected a genotype of space.layers=" + std::to_string(config.layers) +
                                                      " positions, found one of " + std::to_string(genotype.cells.size()) + " cells");
    return chain(config, {}, [&](int position, mixop::OpSpec spec) -> decltype(mixop::Edge::does) {
      const std::vector<mixop::Gene>& genes = genotype.cells[static_cast<std::size_t>(position)].genes;
      if (genes.size() != 1)
        throw mixop::Error(mixop::ErrorCode::usage, "@name@: position " + std::to_string(position) + " has " +
                                                        std::to_string(genes.size()) + " operations; expected one");
      spec.affine = true;
      return mixop::NamedOp{genes.front().operation, spec};
    });
  }

  const std::vector<mixop::NamedGenotype>& genotypes() const override {
    static const std::vector<mixop::NamedGenotype> none;
    return none;
  }

 private:
  template <class Does>
  static mixop::NetworkGraph chain(const mixop::SpaceConfig& config, std::vector<mixop::AlphaSet> alphas, const Does& does) {
    mixop::check_config("@name@", config);
    mixop::NetworkGraph graph;
    graph.input = config.input;
    graph.classes = config.classes;
    graph.alphas = std::move(alphas);
    graph.blocks.push_back(mixop::cifar_stem(config.input.channels, config.channels));
    mixop::ImageShape shape{config.channels, config.input.height, config.input.width};
    const int layers = static_cast<int>(config.layers);
    for (int i = 0; i < layers; ++i) {
      const bool halves = i > 0 && (i == layers / 3 || i == 2 * layers / 3);
      if (halves) {  // a 1x1 convolution brings twice the channels, so that every candidate keeps their number
        mixop::Structure wider;
        wider.relu().conv({.in = shape.channels, .out = 2 * shape.channels}).batch_norm(2 * shape.channels, true);
        graph.blocks.push_back(mixop::fixed_block("wider." + std::to_string(i), "wider", std::move(wider), last(graph)));
        shape.channels *= 2;
      }
      const mixop::OpSpec spec{shape.channels, shape.channels, halves ? 2 : 1, false};
      mixop::Cell cell;
      cell.name = "positions." + std::to_string(i);
      cell.kind = "position";
      cell.edges.push_back({"op", 0, 1, does(i, spec)});
      cell.output = {1};
      graph.blocks.push_back({std::move(cell), {last(graph)}});
      shape = mixop::strided(shape, spec.stride);
    }
    graph.blocks.push_back(mixop::classifier(shape, config.classes, 0, last(graph)));
    graph.outputs.push_back({last(graph), 1, false, config.label_smoothing});
    return graph;
  }
  static int last(const mixop::NetworkGraph& graph) { return static_cast<int>(graph.blocks.size()) - 1; }
};
