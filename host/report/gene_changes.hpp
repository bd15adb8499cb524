#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mixop/genotype.hpp"

namespace mixop {

/// What of a node's genes another genotype has otherwise, as "sep_conv_3x3 from 0". Genes that both have are in neither
/// list, and their order means nothing.
struct GeneChange {
  std::string cell;
  int node = 0;
  std::vector<std::string> before, after;
};

/// The nodes whose genes differ, cell by cell. A cell that one of them lacks has no genes there.
std::vector<GeneChange> gene_changes(const Genotype& before, const Genotype& after);

/// How many genes changed: of each node the more of those that went and those that came.
std::int64_t changed_genes(const std::vector<GeneChange>& changes);

/// Genes that pass their input on: skip_connect and identity, with options or without.
std::int64_t skip_genes(const Genotype& genotype);

}  // namespace mixop
