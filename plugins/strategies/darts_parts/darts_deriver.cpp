#include "darts_deriver.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "mixop/derivation.hpp"

namespace mixop::strategies {
namespace {

constexpr float kStruckOff = -1;  // below all edge weights

struct Choice {
  int from;
  std::size_t operation;
  float strength;
};

std::vector<Gene> darts_genes(const CellTopology& cell, const std::string& name, const at::Tensor& weights) {
  const at::Tensor rows = weights.to(at::kCPU, at::kFloat).contiguous();
  const auto strength = rows.accessor<float, 2>();
  std::vector<Gene> genes;
  for (int node = cell.inputs; node < cell.inputs + cell.nodes; ++node) {
    std::vector<Choice> choices;
    for (std::size_t e = 0; e < cell.edges.size(); ++e) {
      if (cell.edges[e].to != node) continue;
      std::size_t best = cell.operations.size();
      const auto row = strength[static_cast<std::int64_t>(e)];
      for (std::size_t k = 0; k < cell.operations.size(); ++k) {
        if (cell.operations[k] == "none" && !cell.keeps_none) continue;
        if (best == cell.operations.size() || row[static_cast<std::int64_t>(k)] > row[static_cast<std::int64_t>(best)])
          best = k;
      }
      if (best == cell.operations.size())
        throw Error(ErrorCode::usage, std::string("cell '").append(name).append(
                                          "' has no candidate other than none to derive; add one to space.ops"));
      choices.push_back({cell.edges[e].from, best, row[static_cast<std::int64_t>(best)]});
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

/// The entry of a gene in its cell's [edges, operations]: a view.
at::Tensor strength_of(const Gene& gene, const CellTopology& cell, const at::Tensor& weights) {
  const auto edge = std::find(cell.edges.begin(), cell.edges.end(), CellTopology::Edge{gene.from, gene.to});
  const auto operation = std::find(cell.operations.begin(), cell.operations.end(), gene.operation);
  return weights.select(0, edge - cell.edges.begin()).select(0, operation - cell.operations.begin());
}

}  // namespace

Genotype DartsDeriver::derive(const std::vector<AlphaSet>& alphas,
                              const std::vector<at::Tensor>& relaxed) const {
  return derive_cells(alphas, relaxed, darts_genes);
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
    at::Tensor left = weights.to(at::kCPU, at::kFloat).clone();
    for (;;) {
      std::vector<Gene> genes = darts_genes(cell, name, left);
      std::int64_t skips = 0;
      at::Tensor weakest;  // of those that are not struck off: an edge may have no other candidate
      for (const Gene& gene : genes) {
        if (skips_.count(gene.operation) == 0) continue;
        ++skips;
        const at::Tensor strength = strength_of(gene, cell, left);
        const auto value = strength.item<float>();
        if (value > kStruckOff && (!weakest.defined() || value < weakest.item<float>())) weakest = strength;
      }
      if (skips <= limit_ || !weakest.defined() || reductions.count(name) != 0) return genes;
      weakest.fill_(kStruckOff);
    }
  };
  return derive_cells(alphas, relaxed, rule);
}

}  // namespace mixop::strategies
