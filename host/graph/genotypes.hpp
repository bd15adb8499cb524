#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mixop/genotype.hpp"
#include "mixop/network.hpp"

namespace mixop::supernet {

/// A cell of a genotype, and where its alphas are.
struct NamedCell {
  std::string name;  ///< of shared alphas the topology's name, otherwise the cell's position
  const CellTopology* topology;
  std::size_t declaration;
  std::int64_t row;  ///< of the declaration's tensor; -1 for shared alphas

  /// Its [edges, operations] out of one tensor a declaration.
  at::Tensor rows_of(const std::vector<at::Tensor>& alphas) const {
    return row < 0 ? alphas[declaration] : alphas[declaration].select(0, row);
  }
};

/// The cells that declarations stand for: one for shared alphas, one a position otherwise.
std::vector<NamedCell> named_cells(const std::vector<AlphaDeclaration>& alphas);

/// Reads the genes of a cell out of its [edges, operations]. `name` is for errors.
using CellRule =
    std::function<std::vector<Gene>(const CellTopology& cell, const std::string& name, const at::Tensor& relaxed)>;

/// The genotype of relaxed alphas by one rule for every cell.
Genotype derive_cells(const std::vector<AlphaDeclaration>& alphas, const std::vector<at::Tensor>& relaxed,
                      const CellRule& rule);

// The discrete cells below have the form of DARTS: every node keeps as many of its edges as the cell has inputs (two of
// an image cell, one of a recurrent one), each with an operation other than `none`. All draws are functions of `key`.

/// How many such genotypes there are; a double, for it passes 2^64.
double count_genotypes(const std::vector<AlphaDeclaration>& alphas);

/// One of them, uniformly.
Genotype sample_genotype(const std::vector<AlphaDeclaration>& alphas, std::uint64_t key);

/// `genotype` with one gene changed: either its operation or where it comes from (Real et al., AAAI 2019, section 3.2).
/// Throws a usage error where the space leaves nothing to change or the genotype is not of the space.
Genotype mutate_genotype(const Genotype& genotype, const std::vector<AlphaDeclaration>& alphas, std::uint64_t key);

/// The genotype number `index` of count_genotypes(), for walking through small spaces. Throws a usage error past the
/// end.
Genotype genotype_at(const std::vector<AlphaDeclaration>& alphas, std::uint64_t index);

}  // namespace mixop::supernet
