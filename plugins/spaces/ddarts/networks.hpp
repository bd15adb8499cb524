#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mixop/space.hpp"

namespace mixop::ddarts {

/// One [cells, edges, operations] table "alphas": those of every position.
std::vector<AlphaDeclaration> declare_alphas(const std::string& space, const SpaceConfig& config);

/// The supernet with alphas for every cell.
std::unique_ptr<Network> make_search_network(const std::string& space, const SpaceConfig& config,
                                             const OperatorCatalog& operators, const EdgeTransform& transform);

}  // namespace mixop::ddarts
