#pragma once

#include <vector>

#include "mixop/space.hpp"

namespace mixop::darts_cnn {

/// The alphas of normal and reduction cells and the cells that they drive.
std::vector<AlphaSet> alpha_sets(const SpaceConfig& config);

/// The supernet of DARTS: stem, mixed cells, global average pooling, linear classifier.
NetworkGraph search_network(const SpaceConfig& config);

/// The network of a genotype, with the auxiliary head after the reduction at two thirds (DARTS section 3.3).
NetworkGraph discrete_network(const SpaceConfig& config, const Genotype& genotype);

}  // namespace mixop::darts_cnn
