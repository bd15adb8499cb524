#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mixop/space.hpp"

namespace mixop::ddarts {

/// One tensor "alphas" [rows, edges, operations]: a row for every position, or for every cell of the config's baseline,
/// which positions share and where its operations start at 10. The last four nodes of a cell make its output.
std::vector<AlphaDeclaration> declare_alphas(const std::string& space, const SpaceConfig& config);

/// The supernet of these alphas: reductions where the baseline has them, or at a third and at two thirds.
std::unique_ptr<Network> make_search_network(const std::string& space, const SpaceConfig& config,
                                             const OperatorCatalog& operators, const EdgeTransform& transform);

}  // namespace mixop::ddarts
