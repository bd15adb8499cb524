#pragma once

#include <cstdint>
#include <vector>

#include "mixop/genotype.hpp"
#include "mixop/graph.hpp"

namespace mixop {

// Every node of the cells below keeps as many of its edges as its topology says (DARTS: two of an image cell, one of a
// recurrent one), each with one operation, other than `none` unless the topology keeps it. All draws are functions of
// `key`.

/// How many such genotypes there are; a double, for it passes 2^64.
double count_genotypes(const std::vector<AlphaSet>& alphas);

/// One of them, uniformly.
Genotype sample_genotype(const std::vector<AlphaSet>& alphas, std::uint64_t key);

/// `genotype` with one gene changed: either its operation or where it comes from (Real et al., AAAI 2019, section 3.2).
/// Throws a usage error where the space leaves nothing to change or the genotype is not of the space.
Genotype mutate_genotype(const Genotype& genotype, const std::vector<AlphaSet>& alphas, std::uint64_t key);

/// The genotype number `index` of count_genotypes(), for walking through small spaces. Throws a usage error past the
/// end.
Genotype genotype_at(const std::vector<AlphaSet>& alphas, std::uint64_t index);

}  // namespace mixop
