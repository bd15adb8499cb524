// The convolutional search space of DARTS (Liu et al., ICLR 2019, sections 2.1, 3.1 and 3.3).
#include <algorithm>
#include <set>
#include <string>

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

/// Concat names nodes that the genes know, or the next ones, which a derivation may have left without any.
void check_concat(const CellGenotype& cell) {
  int last = 1;
  for (const Gene& gene : cell.genes) last = std::max(last, gene.to);
  const std::set<int> named(cell.concat.begin(), cell.concat.end());
  for (const int node : named)
    require(node >= 2 && (node <= last || named.count(node - 1) != 0), "cell '" + cell.name + "': concat names node " +
                                                                           std::to_string(node) + ", expected 2 to " +
                                                                           std::to_string(last));
}

/// The cell of that name that a network of `layers` cells is built of.
CellGenotype checked_cell(const Genotype& genotype, const std::string& name, std::int64_t layers) {
  const CellGenotype* listed = genotype.find(name);
  require(listed != nullptr, "a network of darts_cnn with space.layers=" + std::to_string(layers) + " has a '" + name +
                                 "' cell, and the genotype has none; take one with normal and reduce cells, as "
                                 "searches of 3 layers and more find them");
  require(!listed->genes.empty() && !listed->concat.empty(),
          "cell '" + name + "' has no operations or an empty concat");
  require(listed->inputs == 2, "cell '" + name + "' has " + std::to_string(listed->inputs) + " inputs, expected 2");
  for (const Gene& gene : listed->genes)
    require(gene.to >= 2 && gene.from >= 0 && gene.from < gene.to,
            "cell '" + name + "': " + gene.operation + " goes from node " + std::to_string(gene.from) + " to node " +
                std::to_string(gene.to) + "; it must come from an earlier node");
  check_concat(*listed);
  CellGenotype cell = fed_cell(*listed);
  require(!cell.genes.empty() && !cell.concat.empty(),
          "cell '" + name + "': no operation comes from the inputs, or concat names no node that one feeds");
  std::set<int> filled{0, 1};
  for (const Gene& gene : cell.genes) {
    require(filled.count(gene.from) != 0,
            "cell '" + name + "': node " + std::to_string(gene.from) + " is used before anything feeds it");
    filled.insert(gene.to);
  }
  return cell;
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
    Genotype checked;
    for (const std::string& kind : kinds_of_cells(config.layers))
      checked.cells.push_back(checked_cell(genotype, kind, config.layers));
    return discrete_network(config, checked);
  }
  const std::vector<NamedGenotype>& genotypes() const override { return published_genotypes(); }
};

}  // namespace
}  // namespace mixop::darts_cnn

MIXOP_PLUGIN("mixop.spaces.darts_cnn", "0.1.0", "The convolutional search space of DARTS (Liu et al., ICLR 2019).",
             mixop::space<mixop::darts_cnn::DartsCnn>("darts_cnn"));
