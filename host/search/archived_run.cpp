#include "host/search/archived_run.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "host/genotype/genotype_json.hpp"
#include "host/search/run_archive.hpp"

namespace mixop {
namespace {

/// The row of `declaration` that drives the cell called `cell`, or an undefined tensor.
at::Tensor rows_of_cell(const AlphaDeclaration& declaration, const at::Tensor& relaxed, const std::string& cell) {
  if (!declaration.per_cell) return declaration.topology.name == cell ? relaxed : at::Tensor();
  for (std::size_t row = 0; row < declaration.cells.size(); ++row)
    if (declaration.topology.name + "." + std::to_string(declaration.cells[row]) == cell)
      return relaxed[static_cast<std::int64_t>(row)];
  return {};
}

double strength_of(const CellTopology& cell, const at::Tensor& weights, const Gene& gene) {
  const auto edge = std::find_if(cell.edges.begin(), cell.edges.end(), [&](const CellTopology::Edge& candidate) {
    return candidate.from == gene.from && candidate.to == gene.to;
  });
  const auto operation = std::find(cell.operations.begin(), cell.operations.end(), gene.operation);
  if (edge == cell.edges.end() || operation == cell.operations.end()) return 0;
  return weights[edge - cell.edges.begin()][operation - cell.operations.begin()].item<double>();
}

}  // namespace

Derived derive(const AlphaCase& raw, const Relaxation& relaxation, const Deriver& deriver, const SearchPosition& at) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> relaxed;
  for (const at::Tensor& alpha : raw.alphas) relaxed.push_back(relaxation.weights(alpha.to(at::kFloat), at, 0));
  Derived derived{deriver.derive(raw.declarations, relaxed), {}};
  for (const CellGenotype& cell : derived.genotype.cells) {
    std::vector<double> strengths;
    for (std::size_t i = 0; i < raw.declarations.size(); ++i) {
      const at::Tensor weights = rows_of_cell(raw.declarations[i], relaxed[i], cell.name);
      if (!weights.defined()) continue;
      for (const Gene& gene : cell.genes) strengths.push_back(strength_of(raw.declarations[i].topology, weights, gene));
    }
    derived.strengths.push_back(std::move(strengths));
  }
  return derived;
}

ArchivedRun::ArchivedRun(Archive archive, const std::string& name, const OptionCatalog& catalog)
    : archive_(std::move(archive)),
      name_(name),
      config_(config_from_json(archive_.text("/config/resolved"), name + ": /config/resolved", catalog)),
      epochs_(archive_.integer("/position", "epoch")) {}

AlphaCase ArchivedRun::alphas(std::int64_t epoch, const SearchSpace& space) const {
  if (epoch < 0 || epoch > epochs_)
    throw Error(ErrorCode::usage, name_ + " holds the epochs 0 (the start) to " + std::to_string(epochs_) + ", not " +
                                      std::to_string(epoch));
  SpaceConfig config;
  config.layers = config_.space.layers;
  config.nodes = config_.space.nodes;
  config.operations = config_.space.ops;
  AlphaCase result{space.alphas(config), {}};
  for (const AlphaDeclaration& declaration : result.declarations) {
    const std::string path = archive_path("/alphas", declaration.name);
    const at::Tensor rows = get_tensor(archive_, path);
    if (rows.dim() < 3 || rows.size(0) <= epoch)
      throw Error(ErrorCode::bad_data, name_ + ": " + path + " lacks the row of epoch " + std::to_string(epoch));
    result.alphas.push_back(rows[epoch]);
  }
  return result;
}

Genotype ArchivedRun::genotype(std::int64_t epoch) const {
  return genotype_from_json(archive_.texts("/genotypes").at(static_cast<std::size_t>(epoch)), name_ + ": /genotypes",
                            ErrorCode::bad_data);
}

SearchPosition ArchivedRun::position(std::int64_t epoch) const { return {epoch, config_.search.epochs, 0}; }

PartNames ArchivedRun::parts(const PluginRegistry& plugins) const {
  const StrategyConfig& keys = config_.strategy;
  return parts_of(plugins, config_.search.strategy,
                  {keys.relaxation, keys.hypergradient, keys.regulariser, keys.edge_transform, keys.stopper, keys.deriver});
}

}  // namespace mixop
