#include "mixop/derivation.hpp"

#include <ATen/ATen.h>

namespace mixop {

Genotype derive_cells(const std::vector<AlphaSet>& alphas, const std::vector<at::Tensor>& relaxed,
                      const CellRule& rule) {
  Genotype genotype;
  for (const NamedCell& cell : named_cells(alphas))
    genotype.cells.push_back({cell.name, rule(*cell.topology, cell.name, rows_of(cell, relaxed)),
                              cell.topology->concat, cell.topology->inputs});
  if (alphas.size() == 1 && alphas.front().per_cell) genotype.reductions = alphas.front().reductions;
  return genotype;
}

}  // namespace mixop
