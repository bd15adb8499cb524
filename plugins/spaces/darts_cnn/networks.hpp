#pragma once

#include <memory>
#include <vector>

#include "mixop/space.hpp"

namespace mixop::darts_cnn {

/// Whether cell `i` of `layers` halves the resolution: those at a third and at two thirds.
inline bool is_reduction(std::int64_t i, std::int64_t layers) { return i == layers / 3 || i == 2 * layers / 3; }

/// The alphas of normal and reduction cells and the cells that they drive.
std::vector<AlphaDeclaration> declare_alphas(const SpaceConfig& config);

/// The supernet of DARTS: stem, mixed cells, global average pooling, linear classifier.
std::unique_ptr<Network> make_search_network(const SpaceConfig& config, const OperatorCatalog& operators,
                                             const EdgeTransform& transform);

/// The network of a genotype, trained from scratch in DARTS section 3.3, with the auxiliary head after the cell at two
/// thirds where the config asks for it.
std::unique_ptr<Network> make_discrete_network(const SpaceConfig& config, const Genotype& genotype,
                                               const OperatorCatalog& operators);

}  // namespace mixop::darts_cnn
