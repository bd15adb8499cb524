#pragma once

#include <memory>
#include <vector>

#include "mixop/space.hpp"
#include "mixop/supernet/image_network.hpp"

namespace mixop::darts_cnn {

/// What both networks are around their cells: reductions at a third and at two thirds, the auxiliary head after the
/// latter (DARTS section 3.3).
supernet::ImageNetworkSpec network_spec(const SpaceConfig& config);

/// The alphas of normal and reduction cells and the cells that they drive.
std::vector<AlphaDeclaration> declare_alphas(const SpaceConfig& config);

/// The supernet of DARTS: stem, mixed cells, global average pooling, linear classifier.
std::unique_ptr<Network> make_search_network(const SpaceConfig& config, const OperatorCatalog& operators,
                                             const EdgeTransform& transform);

/// The network of a genotype.
std::unique_ptr<Network> make_discrete_network(const SpaceConfig& config, const Genotype& genotype,
                                               const OperatorCatalog& operators);

}  // namespace mixop::darts_cnn
