#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mixop/space.hpp"

namespace mixop::ddarts {

/// Which cell of the genotype position `i` of a network of `layers` cells takes: by its sequence; its own where the
/// genotype has as many; by the published rule of deeper networks where it has fewer. Throws a usage error where that
/// rule does not hold: fewer than 5 cells, more than two reductions, or a sequence.
std::size_t cell_of_position(const Genotype& genotype, std::size_t i, std::size_t layers);

/// One a position: the genotype's reductions, or those at a third and at two thirds where it lists none.
std::vector<bool> reductions_of(const Genotype& genotype, std::size_t layers);

/// The network of a genotype by position. `space` names the space in errors, which are of code usage.
NetworkGraph discrete_network(const std::string& space, const SpaceConfig& config, const Genotype& genotype);

}  // namespace mixop::ddarts
