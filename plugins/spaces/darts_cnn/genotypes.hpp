#pragma once

#include <vector>

#include "mixop/space.hpp"

namespace mixop::darts_cnn {

/// NASNet, AmoebaNet, DARTS_V1, DARTS_V2, PC_DARTS_cifar, PC_DARTS_image and PDARTS, as their papers' code lists them.
const std::vector<NamedGenotype>& published_genotypes();

}  // namespace mixop::darts_cnn
