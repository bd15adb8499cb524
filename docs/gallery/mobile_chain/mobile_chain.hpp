#pragma once

#include <string>
#include <vector>

#include "mixop/error.hpp"
#include "mixop/image_blocks.hpp"
#include "mixop/options.hpp"
#include "mixop/space.hpp"
#include "mixop/structure_operator.hpp"

// The inverted residual of MobileNetV2 (Sandler et al., CVPR 2018, section 3.3): widened, filtered, narrowed, and the
// input added where it has the output's shape.
inline mixop::Structure mobile_block(const mixop::OpSpec& spec, std::int64_t kernel, std::int64_t expansion) {
  const std::int64_t wide = spec.in * expansion, s = spec.stride, k = kernel, p = kernel / 2;
  mixop::Structure block;
  block.name("expand").conv({.in = spec.in, .out = wide}).name("expand_norm").batch_norm(wide, spec.affine).relu();
  block.name("filter");
  block.conv({.in = wide, .out = wide, .kernel = {k, k}, .stride = {s, s}, .padding = {p, p}, .groups = wide});
  block.name("filter_norm").batch_norm(wide, spec.affine).relu();
  block.name("project").conv({.in = wide, .out = spec.out}).name("project_norm").batch_norm(spec.out, spec.affine);
  if (spec.stride == 1 && spec.in == spec.out) block.add(0);
  return block;
}

// A chain of mobile blocks, each with a kernel and an expansion of its own choice, in the manner of ProxylessNAS (Cai,
// Zhu, Han, ICLR 2019). Behind one and two thirds of the chain the resolution is halved and the channels are half as
// many again.
class MobileChain : public mixop::SearchSpace {
 public:
  explicit MobileChain(const mixop::Options&) {}

  std::string summary() const override { return "A chain of mobile blocks, each with its kernel and expansion."; }
  mixop::SpaceDefaults defaults() const override {
    return {.operations = {"acme.mobile_3_3", "acme.mobile_3_6", "acme.mobile_5_3", "acme.mobile_5_6"},
            .keys = {{"space.layers", "9"}}};
  }

  mixop::NetworkGraph search(const mixop::SpaceConfig& config) const override {
    mixop::AlphaSet set;
    set.name = "alphas";
    set.topology = {.name = "block", .inputs = 1, .nodes = 1, .edges = {{0, 1}}, .operations = config.operations};
    set.topology.concat = {1};
    set.per_cell = true;
    for (int layer = 0; layer < static_cast<int>(config.layers); ++layer) set.cells.push_back(layer);
    return chain(config, {set}, [&](int layer, const mixop::OpSpec& spec) {
      return mixop::Choice{config.operations, spec, {.set = 0, .cell = layer, .edge = 0}};
    });
  }

  mixop::NetworkGraph network(const mixop::SpaceConfig& config, const mixop::Genotype& genotype) const override {
    if (genotype.cells.size() != static_cast<std::size_t>(config.layers))
      refuse("expected a block for each of " + std::to_string(config.layers) + " layers, found a genotype of " +
             std::to_string(genotype.cells.size()) + "; set space.layers to that");
    return chain(config, {}, [&](int layer, mixop::OpSpec spec) {
      const mixop::CellGenotype& block = genotype.cells[static_cast<std::size_t>(layer)];
      if (block.genes.size() != 1) refuse("block " + block.name + " has other than one operation");
      spec.affine = true;
      return mixop::NamedOp{block.genes.front().operation, spec};
    });
  }

  const std::vector<mixop::NamedGenotype>& genotypes() const override {
    static const std::vector<mixop::NamedGenotype> none;
    return none;
  }

 private:
  [[noreturn]] static void refuse(const std::string& problem) {
    throw mixop::Error(mixop::ErrorCode::usage, "acme.mobile_chain: " + problem);
  }

  /// Stem, blocks, classifier: what every network of the space has. `does` fills the one edge of a block.
  template <class Does>
  static mixop::NetworkGraph chain(const mixop::SpaceConfig& config, std::vector<mixop::AlphaSet> alphas,
                                   const Does& does) {
    mixop::check_config("acme.mobile_chain", config);
    mixop::NetworkGraph graph;
    graph.input = config.input;
    graph.classes = config.classes;
    graph.alphas = std::move(alphas);
    graph.blocks.push_back(mixop::cifar_stem(config.input.channels, config.channels));
    mixop::ImageShape shape{config.channels, config.input.height, config.input.width};
    const int layers = static_cast<int>(config.layers);
    for (int layer = 0; layer < layers; ++layer) {
      const bool halves = layer > 0 && (layer == layers / 3 || layer == 2 * layers / 3);
      const std::int64_t out = halves ? shape.channels * 3 / 2 : shape.channels;
      const mixop::OpSpec spec{shape.channels, out, halves ? 2 : 1, false};
      mixop::Cell cell{.name = "blocks." + std::to_string(layer), .kind = "mobile", .output = {1}};
      cell.edges.push_back({"op", 0, 1, does(layer, spec)});
      graph.blocks.push_back({std::move(cell), {layer}});
      shape = mixop::strided({out, shape.height, shape.width}, spec.stride);
    }
    graph.blocks.push_back(mixop::classifier(shape, config.classes, 0, layers));
    graph.outputs.push_back({layers + 1, 1, false, config.label_smoothing});
    return graph;
  }
};
