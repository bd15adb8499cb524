#include "threshold_derivers.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "mixop/derivation.hpp"

namespace mixop::ddarts {
namespace {

constexpr std::size_t kMostOfAnEdge = 2, kEdgesOfANode = 2;

template <class Choice>
bool stronger(const Choice& a, const Choice& b) {
  return a.strength > b.strength;
}

}  // namespace

ThresholdDeriver::ThresholdDeriver(const Options& options, const char* name)
    : threshold_(static_cast<float>(options.real("threshold"))) {
  if (!(threshold_ >= 0 && threshold_ <= 1))
    throw Error(ErrorCode::usage,
                std::string(name) + ".threshold: expected a number from 0 to 1, found " + options.text("threshold"));
}

Genotype ThresholdDeriver::derive(const std::vector<AlphaSet>& alphas,
                                  const std::vector<at::Tensor>& relaxed) const {
  const auto rule = [&](const CellTopology& cell, const std::string&, const at::Tensor& weights) {
    const at::Tensor rows = weights.to(at::kCPU, at::kFloat).contiguous();
    const auto strength = rows.accessor<float, 2>();
    std::vector<Gene> genes;
    for (int node = cell.inputs; node < cell.inputs + cell.nodes; ++node) {
      std::vector<Edge> edges;
      for (std::size_t e = 0; e < cell.edges.size(); ++e) {
        if (cell.edges[e].to != node) continue;
        edges.push_back({cell.edges[e].from, {}});
        for (std::size_t k = 0; k < cell.operations.size(); ++k)
          if (cell.operations[k] != "none")
            edges.back().choices.push_back({k, strength[static_cast<std::int64_t>(e)][static_cast<std::int64_t>(k)]});
      }
      for (const auto& [edge, operation] : kept(edges))
        genes.push_back({cell.operations[operation], edges[edge].from, node});
    }
    return genes;
  };
  return derive_cells(alphas, relaxed, rule);
}

std::vector<std::pair<std::size_t, std::size_t>> ThresholdEdge::kept(const std::vector<Edge>& edges) const {
  std::vector<std::pair<std::size_t, std::size_t>> result;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    std::vector<Choice> choices = edges[e].choices;
    std::stable_sort(choices.begin(), choices.end(), stronger<Choice>);
    for (std::size_t i = std::min(choices.size(), kMostOfAnEdge); i-- > 0;)
      if (passes(choices[i])) result.emplace_back(e, choices[i].operation);
  }
  return result;
}

std::vector<std::pair<std::size_t, std::size_t>> ThresholdSparse::kept(const std::vector<Edge>& edges) const {
  struct Best {
    std::size_t edge, operation;
    float strength;
  };
  std::vector<Best> best;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const auto choice = std::min_element(edges[e].choices.begin(), edges[e].choices.end(), stronger<Choice>);
    if (choice != edges[e].choices.end() && passes(*choice)) best.push_back({e, choice->operation, choice->strength});
  }
  std::stable_sort(best.begin(), best.end(), stronger<Best>);
  std::vector<std::pair<std::size_t, std::size_t>> result;
  for (std::size_t i = 0; i < std::min(best.size(), kEdgesOfANode); ++i)
    result.emplace_back(best[i].edge, best[i].operation);
  return result;
}

std::vector<std::pair<std::size_t, std::size_t>> ThresholdComplete::kept(const std::vector<Edge>& edges) const {
  std::vector<std::pair<std::size_t, std::size_t>> result;
  for (std::size_t e = 0; e < edges.size(); ++e)
    for (const Choice& choice : edges[e].choices)
      if (passes(choice)) result.emplace_back(e, choice.operation);
  return result;
}

}  // namespace mixop::ddarts
