#include "host/report/gene_changes.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace mixop {
namespace {

/// By the place of its cell, then the node that genes feed.
using Nodes = std::map<std::pair<std::string, int>, std::multiset<std::string>>;

Nodes nodes_of(const Genotype& genotype) {
  Nodes nodes;
  for (const CellGenotype& cell : genotype.cells)
    for (const Gene& gene : cell.genes)
      nodes[{cell.name, gene.to}].insert(gene.operation + " from " + std::to_string(gene.from));
  return nodes;
}

std::vector<std::string> without(const std::multiset<std::string>& genes, const std::multiset<std::string>& others) {
  std::vector<std::string> rest;
  std::set_difference(genes.begin(), genes.end(), others.begin(), others.end(), std::back_inserter(rest));
  return rest;
}

}  // namespace

std::vector<GeneChange> gene_changes(const Genotype& before, const Genotype& after) {
  Nodes old = nodes_of(before), now = nodes_of(after);
  for (const auto& [node, genes] : old) now[node];
  std::vector<GeneChange> changes;
  for (const auto& [node, genes] : now) {
    GeneChange change{node.first, node.second, without(old[node], genes), without(genes, old[node])};
    if (!change.before.empty() || !change.after.empty()) changes.push_back(std::move(change));
  }
  return changes;
}

std::int64_t changed_genes(const std::vector<GeneChange>& changes) {
  std::size_t count = 0;
  for (const GeneChange& change : changes) count += std::max(change.before.size(), change.after.size());
  return static_cast<std::int64_t>(count);
}

std::int64_t skip_genes(const Genotype& genotype) {
  std::int64_t count = 0;
  for (const CellGenotype& cell : genotype.cells)
    count += std::count_if(cell.genes.begin(), cell.genes.end(), [](const Gene& gene) {
      const std::string name = gene.operation.substr(0, gene.operation.find(':'));
      return name == "skip_connect" || name == "identity";
    });
  return count;
}

}  // namespace mixop
