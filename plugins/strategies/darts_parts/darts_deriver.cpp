#include "darts_deriver.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "mixop/derivation.hpp"

namespace mixop::strategies {
namespace {

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

}  // namespace

Genotype DartsDeriver::derive(const std::vector<AlphaSet>& alphas,
                              const std::vector<at::Tensor>& relaxed) const {
  return derive_cells(alphas, relaxed, darts_genes);
}

}  // namespace mixop::strategies
