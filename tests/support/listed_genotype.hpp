#pragma once

#include <string>
#include <vector>

#include "mixop/genotype.hpp"

namespace mixop::test {

/// A genotype by position: one cell a list of genes, of which the second halves the resolution.
inline Genotype listed(const std::vector<std::vector<Gene>>& cells, const std::vector<int>& concat = {2, 3, 4, 5}) {
  Genotype genotype;
  for (const auto& genes : cells) genotype.cells.push_back({std::to_string(genotype.cells.size()), genes, concat});
  genotype.reductions = std::vector<int>{1};
  return genotype;
}

}  // namespace mixop::test
