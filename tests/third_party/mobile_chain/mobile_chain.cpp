// A space of another shape than cells, as somebody with only the installed package would write it: a chain of mobile
// blocks whose channels change, each with a choice of kernel and expansion (in the manner of ProxylessNAS, Cai, Zhu, Han,
// ICLR 2019).
#include <algorithm>
#include <string>
#include <vector>

#include "mixop/plugin.hpp"
#include "mixop/space.hpp"
#include "mixop/structure_operator.hpp"

namespace {

using namespace mixop;

/// The inverted residual of MobileNetV2 (Sandler et al., CVPR 2018): widened, filtered, narrowed.
Structure mobile_block(const OpSpec& spec, std::int64_t kernel, std::int64_t expansion) {
  const std::int64_t wide = spec.in * expansion;
  Structure block;
  block.name("expand").conv({.in = spec.in, .out = wide}).name("expand_norm").batch_norm(wide, spec.affine).relu();
  block.name("filter").conv({.in = wide,
                             .out = wide,
                             .kernel = {kernel, kernel},
                             .stride = {spec.stride, spec.stride},
                             .padding = {kernel / 2, kernel / 2},
                             .groups = wide});
  block.name("filter_norm").batch_norm(wide, spec.affine).relu();
  block.name("project").conv({.in = wide, .out = spec.out}).name("project_norm").batch_norm(spec.out, spec.affine);
  if (spec.stride == 1 && spec.in == spec.out) block.add(0);
  return block;
}

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorCode::usage, message);
}

class MobileChain final : public SearchSpace {
 public:
  explicit MobileChain(const Options&) {}

  std::string summary() const override { return "A chain of mobile blocks, each with its kernel and expansion."; }
  SpaceDefaults defaults() const override {
    return {{"demo.mobile_3_3", "demo.mobile_3_6", "demo.mobile_5_3", "demo.mobile_5_6"}};
  }

  NetworkGraph search(const SpaceConfig& config) const override {
    require(!config.operations.empty(), "space.ops: expected at least one candidate, found none");
    NetworkGraph graph = around(config, [&](int layer, const OpSpec& spec) {
      return Choice{config.operations, spec, {0, layer, 0}};
    });
    AlphaSet set{"alphas", {"block", 1, 1, {{0, 1}}, config.operations, {1}}, {}, /*per_cell=*/true};
    for (int layer = 0; layer < static_cast<int>(config.layers); ++layer) set.cells.push_back(layer);
    graph.alphas.push_back(std::move(set));
    return graph;
  }

  NetworkGraph network(const SpaceConfig& config, const Genotype& genotype) const override {
    require(genotype.cells.size() == static_cast<std::size_t>(config.layers),
            "mobile_chain: expected a block for each of " + std::to_string(config.layers) +
                " layers, found a genotype of " + std::to_string(genotype.cells.size()) + "; set space.layers to that");
    return around(config, [&](int layer, OpSpec spec) {
      const CellGenotype& block = genotype.cells[static_cast<std::size_t>(layer)];
      require(block.genes.size() == 1, "mobile_chain: block " + block.name + " has other than one operation");
      spec.affine = true;
      return NamedOp{block.genes.front().operation, spec};
    });
  }

  const std::vector<NamedGenotype>& genotypes() const override {
    static const std::vector<NamedGenotype> none;
    return none;
  }

 private:
  /// Every third of the chain begins with a stride of 2 and half as many channels again, the first one excepted.
  template <class BlockMaker>
  static NetworkGraph around(const SpaceConfig& config, const BlockMaker& make) {
    require(config.layers >= 1, "space.layers: expected at least 1, found " + std::to_string(config.layers));
    require(config.channels >= 2, "space.channels: expected at least 2, found " + std::to_string(config.channels));
    NetworkGraph graph;
    graph.input = config.input;
    graph.classes = config.classes;
    Structure stem;
    stem.conv({.in = config.input.channels, .out = config.channels, .kernel = {3, 3}, .padding = {1, 1}});
    stem.batch_norm(config.channels, true).relu();
    graph.blocks.push_back(block("stem", "stem", stem, -1));
    std::int64_t channels = config.channels;
    const std::int64_t third = std::max<std::int64_t>(1, config.layers / 3);
    for (int layer = 0; layer < static_cast<int>(config.layers); ++layer) {
      OpSpec spec{channels, channels, 1, false};
      if (layer > 0 && layer % third == 0 && layer / third < 3) {
        spec.stride = 2;
        spec.out = channels = channels + channels / 2;
      }
      graph.blocks.push_back(block("blocks." + std::to_string(layer), "mobile", make(layer, spec), layer));
    }
    Structure head;
    head.global_avg_pool().name("linear").linear(channels, config.classes);
    graph.blocks.push_back(block("classifier", "linear", head, static_cast<int>(config.layers)));
    graph.outputs.push_back({static_cast<int>(config.layers) + 1, 1, false, config.label_smoothing});
    return graph;
  }
  template <class Does>
  static Block block(const std::string& name, const std::string& kind, Does does, int reads) {
    return {{name, kind, 1, {{"", 0, 1, std::move(does)}}, {1}}, {reads}};
  }
};

}  // namespace

MIXOP_PLUGIN("demo.mobile_chain", "1.0.0", "A chain of mobile blocks.",
             structure_operator<[](const OpSpec& s) { return mobile_block(s, 3, 3); }>("demo.mobile_3_3"),
             structure_operator<[](const OpSpec& s) { return mobile_block(s, 3, 6); }>("demo.mobile_3_6"),
             structure_operator<[](const OpSpec& s) { return mobile_block(s, 5, 3); }>("demo.mobile_5_3"),
             structure_operator<[](const OpSpec& s) { return mobile_block(s, 5, 6); }>("demo.mobile_5_6"),
             mixop::space<MobileChain>("demo.mobile_chain"));
