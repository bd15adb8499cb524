#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mixop {

/// One operation of a discrete cell: `operation` applied to node `from`, added into node `to`. The first nodes are the
/// cell's inputs (recurrent cells: node 0 is the initial state), the others are counted on.
struct Gene {
  std::string operation;
  int from = 0;
  int to = 0;
  friend bool operator==(const Gene&, const Gene&) = default;
};

/// The discrete form of one kind of cell ("normal", "reduce", "recurrent") or of one position of the network.
struct CellGenotype {
  std::string name;
  std::vector<Gene> genes;
  std::vector<int> concat;  ///< nodes that make the cell's output
  int inputs = 2;           ///< nodes 0 .. inputs - 1 are what the cell reads
  friend bool operator==(const CellGenotype&, const CellGenotype&) = default;
};

/// A discrete architecture.
struct Genotype {
  std::vector<CellGenotype> cells;  ///< by kind, or one for each position, then named "0", "1", ...
  /// Which positions are reduction cells, where cells are by position and that is known.
  std::optional<std::vector<int>> reductions = std::nullopt;
  /// Where cells are by position and repeat: which of `cells` every position of the network takes.
  std::optional<std::vector<int>> sequence = std::nullopt;

  /// The cell of that name, or null.
  const CellGenotype* find(const std::string& name) const {
    for (const CellGenotype& cell : cells)
      if (cell.name == name) return &cell;
    return nullptr;
  }
  /// Whether the cells are by position.
  bool by_position() const {
    for (std::size_t i = 0; i < cells.size(); ++i)
      if (cells[i].name != std::to_string(i)) return false;
    return !cells.empty();
  }
  /// How many cells the network has of which the genotype lists each; 0 where they are by kind.
  std::size_t positions() const { return !by_position() ? 0 : sequence ? sequence->size() : cells.size(); }
  friend bool operator==(const Genotype&, const Genotype&) = default;
};

}  // namespace mixop
