#pragma once

#include <vector>

#include "mixop/space.hpp"

namespace mixop::darts_rnn {

/// ENAS, DARTS_V1 and DARTS_V2.
const std::vector<NamedGenotype>& published_genotypes();

}  // namespace mixop::darts_rnn
