#include "networks.hpp"

#include <utility>

#include "mixop/cells.hpp"
#include "mixop/image_blocks.hpp"

namespace mixop::darts_cnn {
namespace {

const char* kind_of(bool reduction) { return reduction ? "reduce" : "normal"; }

/// Whether cell `i` of `layers` halves the resolution: those at a third and at two thirds.
bool is_reduction(std::int64_t i, std::int64_t layers) { return i == layers / 3 || i == 2 * layers / 3; }

ImageNetworkSpec network_spec(const SpaceConfig& config) {
  ImageNetworkSpec spec;
  spec.space = config;
  for (std::int64_t i = 0; i < config.layers; ++i) spec.reductions.push_back(is_reduction(i, config.layers));
  spec.auxiliary_after = static_cast<std::size_t>(2 * config.layers / 3);
  return spec;
}

}  // namespace

std::vector<std::string> kinds_of_cells(std::int64_t layers) {
  std::vector<std::string> kinds;
  for (const bool reduction : {false, true})
    for (std::int64_t i = 0; i < layers; ++i)
      if (is_reduction(i, layers) == reduction) {
        kinds.emplace_back(kind_of(reduction));
        break;
      }
  return kinds;
}

std::vector<AlphaSet> alpha_sets(const SpaceConfig& config) {
  std::vector<AlphaSet> sets;
  for (const bool reduction : {false, true}) {
    const std::string kind = kind_of(reduction);
    AlphaSet set{"alphas_" + kind, dense_cell(kind, 2, static_cast<int>(config.nodes), config.operations), {}};
    for (std::int64_t i = 0; i < config.layers; ++i)
      if (is_reduction(i, config.layers) == reduction) set.cells.push_back(static_cast<int>(i));
    sets.push_back(std::move(set));
  }
  return sets;
}

NetworkGraph search_network(const SpaceConfig& config) {
  const std::vector<AlphaSet> sets = alpha_sets(config);
  ImageNetworkSpec spec = network_spec(config);
  spec.space.auxiliary = false;
  spec.space.label_smoothing = 0;
  const auto make_cell = [&](std::size_t, const CellPlace& place) {
    const int set = place.reduction ? 1 : 0;
    return search_cell(sets[static_cast<std::size_t>(set)].topology, place, set, 0);
  };
  return image_network(spec, make_cell, sets);
}

NetworkGraph discrete_network(const SpaceConfig& config, const Genotype& genotype) {
  const auto make_cell = [&](std::size_t, const CellPlace& place) {
    return discrete_cell(*genotype.find(kind_of(place.reduction)), place);
  };
  return image_network(network_spec(config), make_cell, {});
}

}  // namespace mixop::darts_cnn
