#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "mixop/cells.hpp"
#include "mixop/genotype.hpp"

// What derivers share.

namespace mixop {

/// The [edges, operations] of a cell out of one tensor an alpha set.
inline at::Tensor rows_of(const NamedCell& cell, const std::vector<at::Tensor>& alphas) {
  return cell.row < 0 ? alphas[cell.set] : alphas[cell.set].select(0, cell.row);
}

/// Reads the genes of a cell out of its [edges, operations]. `name` is for errors.
using CellRule =
    std::function<std::vector<Gene>(const CellTopology& cell, const std::string& name, const at::Tensor& relaxed)>;

/// The genotype of relaxed alphas by one rule for every cell.
Genotype derive_cells(const std::vector<AlphaSet>& alphas, const std::vector<at::Tensor>& relaxed,
                      const CellRule& rule);

}  // namespace mixop
