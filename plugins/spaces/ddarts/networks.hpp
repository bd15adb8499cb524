#pragma once

#include <string>

#include "mixop/space.hpp"

namespace mixop::ddarts {

/// One set "alphas" [rows, edges, operations]: a row for every position, or for every cell of the config's baseline,
/// which positions share and where its operations start at 10. The last four nodes of a cell make its output.
AlphaSet alpha_set(const std::string& space, const SpaceConfig& config);

/// The supernet of these alphas: reductions where the baseline has them, or at a third and at two thirds.
NetworkGraph search_network(const std::string& space, const SpaceConfig& config);

}  // namespace mixop::ddarts
