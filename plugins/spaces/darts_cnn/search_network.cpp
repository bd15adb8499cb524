#include "mixop/supernet/image_network.hpp"
#include "mixop/supernet/topology.hpp"
#include "networks.hpp"

namespace mixop::darts_cnn {
namespace {

/// Whether cell `i` of `layers` halves the resolution: those at a third and at two thirds.
bool is_reduction(std::int64_t i, std::int64_t layers) { return i == layers / 3 || i == 2 * layers / 3; }

}  // namespace

supernet::ImageNetworkSpec network_spec(const SpaceConfig& config) {
  supernet::ImageNetworkSpec spec;
  spec.space = config;
  for (std::int64_t i = 0; i < config.layers; ++i) spec.reductions.push_back(is_reduction(i, config.layers));
  spec.auxiliary_after = static_cast<std::size_t>(2 * config.layers / 3);
  return spec;
}

std::vector<AlphaDeclaration> declare_alphas(const SpaceConfig& config) {
  std::vector<AlphaDeclaration> alphas;
  for (const bool reduction : {false, true}) {
    const std::string kind = reduction ? "reduce" : "normal";
    AlphaDeclaration declaration{
        "alphas_" + kind, supernet::dense_cell(kind, 2, static_cast<int>(config.nodes), config.operations), {}, false};
    for (std::int64_t i = 0; i < config.layers; ++i)
      if (is_reduction(i, config.layers) == reduction) declaration.cells.push_back(static_cast<int>(i));
    alphas.push_back(std::move(declaration));
  }
  return alphas;
}

std::unique_ptr<Network> make_search_network(const SpaceConfig& config, const OperatorCatalog& operators,
                                             const EdgeTransform& transform) {
  std::vector<AlphaDeclaration> alphas = declare_alphas(config);
  supernet::ImageNetworkSpec spec = network_spec(config);
  spec.space.auxiliary = false;
  spec.space.label_smoothing = 0;
  const auto make_cell = [&](std::size_t, const supernet::CellPlace& place) {
    return std::make_unique<supernet::SearchCell>(alphas[place.reduction ? 1 : 0].topology, place, operators,
                                                  transform);
  };
  return supernet::make_image_network(spec, make_cell, alphas);
}

}  // namespace mixop::darts_cnn
