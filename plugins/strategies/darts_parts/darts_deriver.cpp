#include "darts_deriver.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "mixop/derivation.hpp"

namespace mixop::strategies {
namespace {

struct Choice {
  int from;
  std::size_t operation;
  float strength;
};

/// Entries of a cell's [edges, operations].
using Entries = std::set<std::pair<std::size_t, std::size_t>>;

/// The operation of an edge that is strongest among those that take part: one of weight 0 beside others above 0 has been
/// dropped. Nothing where all of them are dropped or struck off.
std::optional<std::size_t> strongest(const CellTopology& cell, const at::TensorAccessor<float, 1>& row, std::size_t edge,
                                     const Entries& struck) {
  const auto operations = static_cast<std::int64_t>(cell.operations.size());
  bool some_above = false;
  for (std::int64_t k = 0; k < operations; ++k) some_above = some_above || row[k] > 0;
  std::optional<std::size_t> best;
  for (std::int64_t k = 0; k < operations; ++k) {
    const auto place = static_cast<std::size_t>(k);
    if ((cell.operations[place] == "none" && !cell.keeps_none) || struck.count({edge, place}) != 0) continue;
    if (row[k] == 0 && some_above) continue;
    if (!best || row[k] > row[static_cast<std::int64_t>(*best)]) best = place;
  }
  return best;
}

std::vector<Gene> darts_genes(const CellTopology& cell, const std::string& name, const at::Tensor& weights,
                              const Entries& struck = {}) {
  const at::Tensor rows = weights.to(at::kCPU, at::kFloat).contiguous();
  const auto strength = rows.accessor<float, 2>();
  if (std::all_of(cell.operations.begin(), cell.operations.end(), [&](const std::string& operation) {
        return operation == "none" && !cell.keeps_none;
      }))
    throw Error(ErrorCode::usage, std::string("cell '").append(name).append(
                                      "' has no candidate other than none to derive; add one to space.ops"));
  std::vector<Gene> genes;
  for (int node = cell.inputs; node < cell.inputs + cell.nodes; ++node) {
    std::vector<Choice> choices;
    for (std::size_t e = 0; e < cell.edges.size(); ++e) {
      if (cell.edges[e].to != node) continue;
      const auto row = strength[static_cast<std::int64_t>(e)];
      if (const std::optional<std::size_t> best = strongest(cell, row, e, struck))
        choices.push_back({cell.edges[e].from, *best, row[static_cast<std::int64_t>(*best)]});
    }
    std::sort(choices.begin(), choices.end(), [](const Choice& a, const Choice& b) {
      return a.strength != b.strength ? a.strength > b.strength : a.from < b.from;
    });
    const std::size_t kept = std::min(choices.size(), static_cast<std::size_t>(cell.kept > 0 ? cell.kept : cell.inputs));
    for (std::size_t i = 0; i < kept; ++i)
      genes.push_back({cell.operations[choices[i].operation], choices[i].from, node});
  }
  return genes;
}

/// The entry of a gene in its cell's [edges, operations].
std::pair<std::size_t, std::size_t> entry_of(const Gene& gene, const CellTopology& cell) {
  const auto edge = std::find(cell.edges.begin(), cell.edges.end(), CellTopology::Edge{gene.from, gene.to});
  const auto operation = std::find(cell.operations.begin(), cell.operations.end(), gene.operation);
  return {static_cast<std::size_t>(edge - cell.edges.begin()), static_cast<std::size_t>(operation - cell.operations.begin())};
}

}  // namespace

Genotype DartsDeriver::derive(const std::vector<AlphaSet>& alphas,
                              const std::vector<at::Tensor>& relaxed) const {
  return derive_cells(alphas, relaxed, [](const CellTopology& cell, const std::string& name, const at::Tensor& weights) {
    return darts_genes(cell, name, weights);
  });
}

LimitedSkips::LimitedSkips(const Options& options) : limit_(options.integer("limit")) {
  if (limit_ < 0)
    throw Error(ErrorCode::usage,
                "darts_limited_skips.limit: expected a number from 0 on, found " + options.text("limit"));
  for (const std::string& name : options.list("operations")) skips_.insert(name);
}

Genotype LimitedSkips::derive(const std::vector<AlphaSet>& alphas, const std::vector<at::Tensor>& relaxed) const {
  std::set<std::string> reductions{"reduce"};
  for (const AlphaSet& set : alphas)
    if (set.reductions)
      for (const int position : *set.reductions) reductions.insert(std::to_string(position));
  const auto rule = [&](const CellTopology& cell, const std::string& name, const at::Tensor& weights) {
    const at::Tensor strength = weights.to(at::kCPU, at::kFloat);
    Entries struck, kept;  // kept: without them a node has too few edges
    for (;;) {
      std::vector<Gene> genes = darts_genes(cell, name, weights, struck);
      std::int64_t skips = 0;
      std::optional<std::pair<float, Entries::value_type>> weakest;
      for (const Gene& gene : genes) {
        if (skips_.count(gene.operation) == 0) continue;
        ++skips;
        const Entries::value_type entry = entry_of(gene, cell);
        const auto value = strength[static_cast<std::int64_t>(entry.first)][static_cast<std::int64_t>(entry.second)].item<float>();
        if (kept.count(entry) == 0 && (!weakest || value < weakest->first)) weakest = {value, entry};
      }
      if (skips <= limit_ || !weakest || reductions.count(name) != 0) return genes;
      struck.insert(weakest->second);
      if (darts_genes(cell, name, weights, struck).size() < genes.size()) {
        struck.erase(weakest->second);
        kept.insert(weakest->second);
      }
    }
  };
  return derive_cells(alphas, relaxed, rule);
}

}  // namespace mixop::strategies
