#include "discrete_check.hpp"

#include <algorithm>

#include "discrete_cell.hpp"
#include "mixop/error.hpp"

namespace mixop::ddarts {
namespace {

void check_genes(const CellGenotype& cell) {
  const std::string where = "cell " + cell.name + " of the genotype ";
  require(!cell.genes.empty(), where + "has no operations: derive it with a lower threshold or another rule");
  for (const Gene& gene : cell.genes)
    require(gene.to >= 2 && gene.from >= 0 && gene.from != gene.to,
            where + "has " + gene.operation + " from node " + std::to_string(gene.from) + " to node " +
                std::to_string(gene.to) + "; nodes count from 0, and 0 and 1 are the cell's inputs");
}

void check_nodes(const CellGenotype& cell) {
  const std::string where = "cell " + cell.name + " of the genotype ";
  bool ends = false;
  for (const ListedNode& node : listed_nodes(cell)) {
    const bool fed = std::any_of(node.operations.begin(), node.operations.end(),
                                 [](const ListedNode::Operation& operation) { return operation.runs; });
    const std::string name = std::to_string(node.index);
    require(fed, where + "leaves node " + name + " without input: every operation into it comes from a node, such as " +
                     std::to_string(node.operations.front().from) +
                     ", that is fed later or not at all; nodes run in the order in which the list first names them");
    ends = ends || std::find(cell.concat.begin(), cell.concat.end(), node.index) != cell.concat.end();
  }
  require(ends, where + "has none of the nodes that concat names, so it has no output");
}

}  // namespace

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorCode::usage, message);
}

void check_genotype(const std::string& space, const Genotype& genotype) {
  require(genotype.by_position(),
          "a genotype of " + space + " lists the cells of its positions (genes, concat, reductions); this one has " +
              (genotype.cells.empty() ? "no cells" : "a cell '" + genotype.cells[0].name + "'"));
  if (genotype.sequence) {
    require(!genotype.sequence->empty(), "the genotype's seq is empty; it lists the cell of every position");
    for (const int cell : *genotype.sequence)
      require(cell >= 0 && cell < static_cast<int>(genotype.cells.size()),
              "the genotype's seq names cell " + std::to_string(cell) + ", but it has " +
                  std::to_string(genotype.cells.size()) + " cells");
  }
  for (const CellGenotype& cell : genotype.cells) {
    check_genes(cell);
    check_nodes(cell);
  }
}

}  // namespace mixop::ddarts
