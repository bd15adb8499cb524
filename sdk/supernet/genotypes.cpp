#include "mixop/supernet/genotypes.hpp"

#include <algorithm>
#include <numeric>

#include "mixop/error.hpp"
#include "mixop/random.hpp"

namespace mixop::supernet {
namespace {

std::vector<std::string> choices(const CellTopology& cell) {
  std::vector<std::string> operations;
  for (const std::string& name : cell.operations)
    if (name != "none") operations.push_back(name);
  if (operations.empty())
    throw Error(ErrorCode::usage, "cell '" + cell.name + "' has no candidate other than none; add one to space.ops");
  return operations;
}

std::vector<int> sources(const CellTopology& cell, int node) {
  std::vector<int> from;
  for (const CellTopology::Edge& edge : cell.edges)
    if (edge.to == node) from.push_back(edge.from);
  return from;
}

/// All ways to keep `kept` of `count` edges (all, where there are no more), as ascending positions.
std::vector<std::vector<std::size_t>> kept_edges(std::size_t count, std::size_t kept) {
  std::vector<std::vector<std::size_t>> ways;
  std::vector<std::size_t> way(std::min(count, kept));
  std::iota(way.begin(), way.end(), 0);
  for (;;) {
    ways.push_back(way);
    std::size_t i = way.size();
    while (i > 0 && way[i - 1] == count - way.size() + i - 1) --i;
    if (i == 0) return ways;
    ++way[i - 1];
    for (; i < way.size(); ++i) way[i] = way[i - 1] + 1;
  }
}

/// Builds a genotype from one decision after the other: `decide(n)` answers a number below n.
template <class Decide>
Genotype build(const std::vector<AlphaDeclaration>& alphas, Decide decide) {
  Genotype genotype;
  for (const NamedCell& named : named_cells(alphas)) {
    const CellTopology& cell = *named.topology;
    const std::vector<std::string> operations = choices(cell);
    CellGenotype& made = genotype.cells.emplace_back(CellGenotype{named.name, {}, cell.concat, cell.inputs});
    for (int node = cell.inputs; node < cell.inputs + cell.nodes; ++node) {
      const std::vector<int> from = sources(cell, node);
      const auto ways = kept_edges(from.size(), static_cast<std::size_t>(cell.inputs));
      for (const std::size_t edge : ways[decide(ways.size())])
        made.genes.push_back({operations[decide(operations.size())], from[edge], node});
    }
  }
  return genotype;
}

}  // namespace

std::vector<NamedCell> named_cells(const std::vector<AlphaDeclaration>& alphas) {
  std::vector<NamedCell> cells;
  for (std::size_t i = 0; i < alphas.size(); ++i) {
    const CellTopology& topology = alphas[i].topology;
    if (!alphas[i].per_cell) {
      cells.push_back({topology.name, &topology, i, -1});
    } else {
      for (std::size_t cell = 0; cell < alphas[i].cells.size(); ++cell)
        cells.push_back({std::to_string(alphas[i].cells[cell]), &topology, i, alphas[i].row_of(cell)});
    }
  }
  return cells;
}

Genotype derive_cells(const std::vector<AlphaDeclaration>& alphas, const std::vector<at::Tensor>& relaxed,
                      const CellRule& rule) {
  Genotype genotype;
  for (const NamedCell& cell : named_cells(alphas))
    genotype.cells.push_back({cell.name, rule(*cell.topology, cell.name, cell.rows_of(relaxed)), cell.topology->concat,
                              cell.topology->inputs});
  if (alphas.size() == 1 && alphas.front().per_cell) genotype.reductions = alphas.front().reductions;
  return genotype;
}

double count_genotypes(const std::vector<AlphaDeclaration>& alphas) {
  double count = 1;
  (void)build(alphas, [&](std::size_t options) -> std::size_t {
    count *= static_cast<double>(options);
    return 0;
  });
  return count;
}

Genotype sample_genotype(const std::vector<AlphaDeclaration>& alphas, std::uint64_t key) {
  RandomStream random(key);
  return build(alphas, [&](std::size_t options) { return static_cast<std::size_t>(random.below(options)); });
}

Genotype genotype_at(const std::vector<AlphaDeclaration>& alphas, std::uint64_t index) {
  if (static_cast<double>(index) >= count_genotypes(alphas))
    throw Error(ErrorCode::usage, "genotype " + std::to_string(index) + " is past the end of the space");
  return build(alphas, [&](std::size_t options) {
    const std::size_t digit = index % options;
    index /= options;
    return digit;
  });
}

Genotype mutate_genotype(const Genotype& genotype, const std::vector<AlphaDeclaration>& alphas, std::uint64_t key) {
  struct Change {
    std::size_t cell, gene;
    Gene to;
  };
  std::vector<Change> changes;
  const auto cells = named_cells(alphas);
  for (std::size_t c = 0; c < genotype.cells.size(); ++c) {
    const auto named = std::find_if(cells.begin(), cells.end(),
                                    [&](const NamedCell& cell) { return cell.name == genotype.cells[c].name; });
    if (named == cells.end()) throw Error(ErrorCode::usage, "the space has no cell '" + genotype.cells[c].name + "'");
    const auto& genes = genotype.cells[c].genes;
    for (std::size_t g = 0; g < genes.size(); ++g) {
      for (const std::string& operation : choices(*named->topology))
        if (operation != genes[g].operation) changes.push_back({c, g, {operation, genes[g].from, genes[g].to}});
      for (const int from : sources(*named->topology, genes[g].to)) {
        const bool taken = std::any_of(genes.begin(), genes.end(), [&](const Gene& other) {
          return other.to == genes[g].to && other.from == from;
        });
        if (!taken) changes.push_back({c, g, {genes[g].operation, from, genes[g].to}});
      }
    }
  }
  if (changes.empty()) throw Error(ErrorCode::usage, "the space leaves nothing in this genotype to change");
  RandomStream random(key);
  const Change& chosen = changes[random.below(changes.size())];
  Genotype changed = genotype;
  changed.cells[chosen.cell].genes[chosen.gene] = chosen.to;
  return changed;
}

}  // namespace mixop::supernet
