// The convolutional search space of DARTS (Liu et al., ICLR 2019, sections 2.1, 3.1 and 3.3).
#include <algorithm>

#include "genotypes.hpp"
#include "mixop/cells.hpp"
#include "mixop/image_blocks.hpp"
#include "mixop/plugin.hpp"
#include "mixop/space.hpp"
#include "networks.hpp"

namespace mixop::darts_cnn {
namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorCode::usage, message);
}

void check_cell(const Genotype& genotype, const std::string& name) {
  const CellGenotype* cell = genotype.find(name);
  require(cell != nullptr, "a genotype of darts_cnn has a normal and a reduce cell; '" + name + "' is missing");
  require(!cell->genes.empty() && !cell->concat.empty(), "cell '" + name + "' has no operations or an empty concat");
  std::vector<bool> filled{true, true};
  for (const Gene& gene : cell->genes) {
    require(gene.to >= 2 && gene.from >= 0 && gene.from < gene.to,
            "cell '" + name + "': " + gene.operation + " goes from node " + std::to_string(gene.from) + " to node " +
                std::to_string(gene.to) + "; it must come from an earlier node");
    filled.resize(std::max(filled.size(), static_cast<std::size_t>(gene.to) + 1), false);
    require(filled[static_cast<std::size_t>(gene.from)],
            "cell '" + name + "': node " + std::to_string(gene.from) + " is used before anything feeds it");
    filled[static_cast<std::size_t>(gene.to)] = true;
  }
  for (const int node : cell->concat)
    require(node >= 2 && node < static_cast<int>(filled.size()) && filled[static_cast<std::size_t>(node)],
            "cell '" + name + "': concat names node " + std::to_string(node) + ", which nothing feeds");
}

class DartsCnn final : public SearchSpace {
 public:
  explicit DartsCnn(const Options&) {}

  std::string summary() const override {
    return "Convolutional cells of DARTS (Liu et al., ICLR 2019): one normal and one reduction cell, repeated.";
  }
  SpaceDefaults defaults() const override {
    return {{"none",         "max_pool_3x3", "avg_pool_3x3", "skip_connect",
            "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"}};
  }
  NetworkGraph search(const SpaceConfig& config) const override {
    check_config("darts_cnn", config);
    require(config.nodes >= 1, "space.nodes: expected at least 1, found " + std::to_string(config.nodes));
    check_operations(config.operations);
    return search_network(config);
  }
  NetworkGraph network(const SpaceConfig& config, const Genotype& genotype) const override {
    check_config("darts_cnn", config);
    check_cell(genotype, "normal");
    check_cell(genotype, "reduce");
    return discrete_network(config, genotype);
  }
  const std::vector<NamedGenotype>& genotypes() const override { return published_genotypes(); }
};

}  // namespace
}  // namespace mixop::darts_cnn

MIXOP_PLUGIN("mixop.spaces.darts_cnn", "0.1.0", "The convolutional search space of DARTS (Liu et al., ICLR 2019).",
             mixop::space<mixop::darts_cnn::DartsCnn>("darts_cnn"));
