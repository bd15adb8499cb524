#pragma once

#include <vector>

#include "mixop/space.hpp"

namespace mixop::darts_cnn {

/// Of which kinds a network of so many cells has some: "normal", "reduce", or both.
std::vector<std::string> kinds_of_cells(std::int64_t layers);

/// The alphas of normal and reduction cells and the cells that they drive.
std::vector<AlphaSet> alpha_sets(const SpaceConfig& config);

/// The supernet of DARTS: stem, mixed cells, global average pooling, linear classifier.
NetworkGraph search_network(const SpaceConfig& config);

/// The network of a genotype that has the cells of its kinds, with the auxiliary head after the reduction at two thirds (DARTS section 3.3).
NetworkGraph discrete_network(const SpaceConfig& config, const Genotype& genotype);

}  // namespace mixop::darts_cnn
