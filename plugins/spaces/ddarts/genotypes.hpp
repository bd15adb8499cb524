#pragma once

#include <vector>

#include "mixop/space.hpp"

namespace mixop::ddarts {

/// The networks that D-DARTS published for CIFAR-10 and CIFAR-100.
const std::vector<NamedGenotype>& ddarts_genotypes();

/// The hand-made networks that DARTOpti starts from, and the networks that it published.
const std::vector<NamedGenotype>& dartopti_genotypes();

}  // namespace mixop::ddarts
