#include "discrete_check.hpp"
#include "mixop/supernet/topology.hpp"
#include "networks.hpp"

namespace mixop::ddarts {

std::vector<AlphaDeclaration> declare_alphas(const std::string&, const SpaceConfig& config) {
  require(config.nodes >= 1, "space.nodes: expected at least 1, found " + std::to_string(config.nodes));
  AlphaDeclaration declaration{
      "alphas", supernet::dense_cell("cell", 2, static_cast<int>(config.nodes), config.operations), {}, true};
  for (std::int64_t i = 0; i < config.layers; ++i) declaration.cells.push_back(static_cast<int>(i));
  return {declaration};
}

std::unique_ptr<Network> make_search_network(const std::string& space, const SpaceConfig&, const OperatorCatalog&,
                                             const EdgeTransform&) {
  throw Error(ErrorCode::usage, space + " has no supernet yet");
}

}  // namespace mixop::ddarts
