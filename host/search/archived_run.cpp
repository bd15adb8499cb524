#include "host/search/archived_run.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "host/graph/check.hpp"
#include "host/graph/edge_rule.hpp"
#include "host/search/run_check.hpp"
#include "host/search/search.hpp"
#include "host/search/stored_tensor.hpp"
#include "mixop/derivation.hpp"

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

/// What a space says against a user's config is the archive's fault where the config comes from one.
NetworkGraph graph_of(const SearchSpace& space, const SpaceKeys& keys, const std::string& name) {
  try {
    return space.search(alphas_config(keys, space));
  } catch (const Error& error) {
    throw Error(error.code() == ErrorCode::usage ? ErrorCode::bad_data : error.code(),
                name + ": /config/resolved: " + error.what());
  }
}

}  // namespace

std::size_t in_force(const std::vector<StrategyChange>& changes, std::int64_t row) {
  std::size_t last = 0;
  for (std::size_t i = 1; i < changes.size(); ++i)
    if (changes[i].epoch < row) last = i;
  return last;
}

bool alphas_moved(const Archive& archive, std::int64_t epoch) {
  for (const std::string& name : archive.children("/alphas")) {
    const at::Tensor rows = get_tensor(archive, archive_path("/alphas", name));
    if (!at::equal(rows[0], rows[epoch])) return true;
  }
  return false;
}

Derived derive(const AlphaCase& raw, const Relaxation& relaxation, const Deriver& deriver, const SearchPosition& at) {
  const std::vector<at::Tensor> relaxed = relaxed_for_derivation(relaxation, raw.declarations, raw.alphas, at, raw.dropped);
  Derived derived{searched_genotype(deriver, raw.declarations, relaxed, raw.unused), {}};
  const std::vector<NamedCell> cells = named_cells(raw.declarations);
  for (const CellGenotype& cell : derived.genotype.cells) {
    std::vector<double>& strengths = derived.strengths.emplace_back();
    for (const NamedCell& named : cells)
      if (named.name == cell.name)
        for (const Gene& gene : cell.genes)
          strengths.push_back(strength_of(*named.topology, rows_of(named, relaxed), gene));
  }
  return derived;
}

ArchivedRun::ArchivedRun(Archive archive, const OptionCatalog& catalog)
    : archive_(std::move(archive)),
      config_(archived_config(archive_, catalog)),
      epochs_(archive_.integer("/position", "epoch")) {}

AlphaCase ArchivedRun::alphas(std::int64_t epoch, const SearchSpace& space, const EdgeRuleData& rule) const {
  if (epoch < 0 || epoch > epochs_)
    throw Error(ErrorCode::usage, archive_.name() + " holds the epochs 0 (the start) to " + std::to_string(epochs_) +
                                      ", not " + std::to_string(epoch));
  const NetworkGraph graph = with_rule(graph_of(space, config_.space, archive_.name()), rule);
  AlphaCase result{graph.alphas, {}, unused_alphas(graph)};
  check_alphas(archive_, result.declarations);
  for (const AlphaSet& declaration : result.declarations)
    result.alphas.push_back(get_tensor(archive_, archive_path("/alphas", declaration.name))[epoch]);
  result.dropped = dropped_operations(archive_, result.declarations, epoch);
  return result;
}

SearchPosition ArchivedRun::position(std::int64_t row) const { return derived_at(row, config_.search.epochs); }

PartChoices ArchivedRun::parts(std::int64_t row) const {
  const std::vector<StrategyChange> changes = strategy_changes(archive_);
  return changes[in_force(changes, row)].parts;
}

}  // namespace mixop
