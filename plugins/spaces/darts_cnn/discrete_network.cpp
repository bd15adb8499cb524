#include "mixop/supernet/image_network.hpp"
#include "networks.hpp"

namespace mixop::darts_cnn {

std::unique_ptr<Network> make_discrete_network(const SpaceConfig& config, const Genotype& genotype,
                                               const OperatorCatalog& operators) {
  const auto make_cell = [&](std::size_t, const supernet::CellPlace& place) {
    return std::make_unique<supernet::DiscreteCell>(*genotype.find(place.reduction ? "reduce" : "normal"), place,
                                                    operators);
  };
  return supernet::make_image_network(network_spec(config), make_cell, {});
}

}  // namespace mixop::darts_cnn
