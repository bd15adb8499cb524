// The recurrent search space of DARTS (Liu et al., ICLR 2019, sections 2.1, 3.1 and 3.3).
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "genotypes.hpp"
#include "mixop/cells.hpp"
#include "mixop/plugin.hpp"
#include "mixop/space.hpp"

namespace mixop::darts_rnn {
namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorCode::usage, message);
}

void check_config(const SpaceConfig& config) {
  require(config.width >= 1, "space.width: expected at least 1, found " + std::to_string(config.width));
  require(config.classes >= 2,
          "darts_rnn predicts words: expected a vocabulary of at least 2, found " + std::to_string(config.classes));
}

double probability(const Options& options, const char* name) {
  const double value = options.real(name);
  require(value >= 0 && value < 1,
          std::string("darts_rnn.") + name + ": expected a probability from 0 to below 1, found " + options.text(name));
  return value;
}

double penalty(const Options& options, const char* name) {
  const double value = options.real(name);
  require(value >= 0,
          std::string("darts_rnn.") + name + ": expected a number of at least 0, found " + options.text(name));
  return value;
}

/// The regularisation of Merity et al. 2018 ("Regularizing and Optimizing LSTM Language Models"), under the names of
/// DARTS' published options.
LanguageModel model_of(const Options& options) {
  LanguageModel model;
  model.dropout_output = probability(options, "dropout");
  model.dropout_hidden = probability(options, "dropouth");
  model.dropout_input = probability(options, "dropoutx");
  model.dropout_embedding = probability(options, "dropouti");
  model.dropout_words = probability(options, "dropoute");
  model.activation_l2 = penalty(options, "alpha");
  model.slowness = penalty(options, "beta");
  return model;
}

OpSpec spec_of(const SpaceConfig& config) { return {config.width, config.width, 1, /*affine=*/false}; }

/// The alphas of the one cell.
AlphaSet alpha_set(const SpaceConfig& config) {
  require(config.nodes >= 1, "space.nodes: expected at least 1, found " + std::to_string(config.nodes));
  const auto& operations = config.operations;
  require(std::any_of(operations.begin(), operations.end(), [](const std::string& name) { return name != "none"; }),
          "space.ops: expected at least one candidate operation other than none");
  check_operations(operations);
  return {"alphas", dense_cell("recurrent", 1, static_cast<int>(config.nodes), operations), {0}};
}

/// A genotype's cell, whose nodes are 1, 2, ... in the order of its genes.
const CellGenotype& checked_cell(const Genotype& genotype) {
  const CellGenotype* const cell = genotype.find("recurrent");
  require(cell != nullptr, "a genotype of darts_rnn has a recurrent cell; 'recurrent' is missing");
  require(!cell->genes.empty() && !cell->concat.empty(), "the recurrent cell has no operations or an empty concat");
  const int nodes = static_cast<int>(cell->genes.size());
  for (int node = 1; node <= nodes; ++node) {
    const Gene& gene = cell->genes[static_cast<std::size_t>(node) - 1];
    require(gene.to == node && gene.from >= 0 && gene.from < node,
            "the recurrent cell: " + gene.operation + " goes from node " + std::to_string(gene.from) + " to node " +
                std::to_string(gene.to) + "; expected gene " + std::to_string(node) +
                " to go from an earlier node to node " + std::to_string(node));
    require(gene.operation != "none", "the recurrent cell: node " + std::to_string(node) + " has the operation none");
  }
  for (const int node : cell->concat)
    require(node >= 0 && node <= nodes, "the recurrent cell: concat names node " + std::to_string(node) +
                                            ", but there are " + std::to_string(nodes));
  return *cell;
}

class DartsRnn final : public SearchSpace {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_REAL, "dropout", "0.75", "Dropout of the cell's outputs, a probability from 0 to below 1."),
      option(MIXOP_OPTION_REAL, "dropouth", "0.25", "Dropout of the states that nodes read."),
      option(MIXOP_OPTION_REAL, "dropoutx", "0.75", "Dropout of the embedded words that the cell reads."),
      option(MIXOP_OPTION_REAL, "dropouti", "0.2", "Dropout of the embedded words before that."),
      option(MIXOP_OPTION_REAL, "dropoute", "0", "Dropout of whole words of the embedding."),
      option(MIXOP_OPTION_REAL, "alpha", "0", "Activation regularisation: weight of the mean square of the outputs."),
      option(MIXOP_OPTION_REAL, "beta", "0.001",
             "Slowness regularisation: weight of the mean square of the outputs' change from word to word."),
      option(MIXOP_OPTION_BOOL, "running_statistics", "false",
             "Validates a search with the norm's running statistics, as the published code does, in place of the "
             "batch's."),
  };

  explicit DartsRnn(const Options& options)
      : model_(model_of(options)), running_statistics_(options.flag("running_statistics")) {}

  std::string summary() const override {
    return "Recurrent cell of DARTS (Liu et al., ICLR 2019) in a language model with tied embedding.";
  }
  Domain domain() const override { return Domain::recurrent; }
  SpaceDefaults defaults() const override {
    return {{"none", "tanh", "relu", "sigmoid", "identity"}, "first_order", {{"space.nodes", "8"}}};
  }
  NetworkGraph search(const SpaceConfig& config) const override {
    check_config(config);
    const AlphaSet set = alpha_set(config);
    NetworkGraph graph = around(config);
    graph.language_model->node_norm = true;
    graph.language_model->running_statistics = running_statistics_;
    Cell& cell = graph.blocks.front().cell;
    for (std::size_t e = 0; e < set.topology.edges.size(); ++e) {
      const auto& [from, to] = set.topology.edges[e];
      cell.edges.push_back(
          {"", from, to, Choice{set.topology.operations, spec_of(config), {0, 0, static_cast<int>(e)}}});
    }
    cell.output = set.topology.concat;
    graph.alphas.push_back(set);
    return graph;
  }
  NetworkGraph network(const SpaceConfig& config, const Genotype& genotype) const override {
    check_config(config);
    const CellGenotype& listed = checked_cell(genotype);
    NetworkGraph graph = around(config);
    Cell& cell = graph.blocks.front().cell;
    for (const Gene& gene : listed.genes)
      cell.edges.push_back({"", gene.from, gene.to, NamedOp{gene.operation, spec_of(config)}});
    cell.output = listed.concat;
    return graph;
  }
  const std::vector<NamedGenotype>& genotypes() const override { return published_genotypes(); }

 private:
  /// The language model with a cell that lacks its edges.
  NetworkGraph around(const SpaceConfig& config) const {
    NetworkGraph graph;
    graph.domain = Domain::recurrent;
    graph.classes = config.classes;
    graph.language_model = model_;
    graph.language_model->width = config.width;
    graph.language_model->words = config.classes;
    Cell cell;
    cell.name = "rnns.0";
    cell.kind = "recurrent";
    graph.blocks.push_back({std::move(cell), {-1}});
    return graph;
  }

  LanguageModel model_;
  bool running_statistics_;
};

}  // namespace
}  // namespace mixop::darts_rnn

MIXOP_PLUGIN("mixop.spaces.darts_rnn", "0.1.0", "The recurrent search space of DARTS (Liu et al., ICLR 2019).",
             mixop::space<mixop::darts_rnn::DartsRnn>("darts_rnn"));
