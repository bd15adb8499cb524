#pragma once

#include "mixop/space.hpp"

namespace mixop::nasbench201 {

/// Three stages of as many cells, and between them residual blocks that halve the resolution and double the channels
/// (Dong and Yang, ICLR 2020, section 2.1). `config.layers` counts the cells of all stages. Both throw usage errors
/// where the config has no such network.
NetworkGraph search_network(const SpaceConfig& config);
NetworkGraph discrete_network(const SpaceConfig& config, const CellGenotype& genotype);

}  // namespace mixop::nasbench201
