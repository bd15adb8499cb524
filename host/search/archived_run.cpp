#include "host/search/archived_run.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "host/genotype/genotype_json.hpp"
#include "host/search/run_archive.hpp"
#include "mixop/supernet/genotypes.hpp"

namespace mixop {
namespace {

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
  const auto cells = supernet::named_cells(raw.declarations);
  for (const CellGenotype& cell : derived.genotype.cells) {
    std::vector<double>& strengths = derived.strengths.emplace_back();
    for (const supernet::NamedCell& named : cells)
      if (named.name == cell.name)
        for (const Gene& gene : cell.genes)
          strengths.push_back(strength_of(*named.topology, named.rows_of(relaxed), gene));
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
  return parts_of(
      plugins, config_.search.strategy,
      {keys.relaxation, keys.hypergradient, keys.regulariser, keys.edge_transform, keys.stopper, keys.deriver});
}

}  // namespace mixop
