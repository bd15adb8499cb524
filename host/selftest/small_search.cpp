#include "host/selftest/small_search.hpp"

#include <ATen/ATen.h>

#include "host/graph/operator_catalog.hpp"

namespace mixop {

SmallSearch::SmallSearch(const PluginRegistry& plugins, const std::string& strategy, at::ScalarType type,
                         const ComponentOptions& options)
    : space(make_part<SearchSpace>(plugins, "darts_cnn", {})),
      composition(plugins, parts_of(plugins, {strategy, {}}, options)) {
  at::manual_seed(11);
  SpaceConfig config;
  config.channels = 4;
  config.layers = 3;
  config.nodes = 2;
  config.input = {3, 8, 8};
  config.operations = space->defaults().operations;
  network = compile(space->search(config), RegistryCatalog(plugins), {at::kCPU, type});
  for (const AlphaSet& set : network->alphas()) alphas.push_back(at::randn(set.shape()).to(type));
  weights = std::make_unique<Sgd>(parameters_of(*network), 0.9, 3e-4);
  for (at::Tensor momentum : weights->momenta()) momentum.normal_(0, 0.1);
  problem = std::make_unique<SearchProblem>(*network, alphas, composition, *weights);
  const auto batch = [&] { return Batch{at::randn({4, 3, 8, 8}).to(type), at::randint(10, {4}, at::kLong)}; };
  const Batch train = batch(), valid = batch();
  problem->set_step({train, valid, {}, 1, 0.025, 5});
}

}  // namespace mixop
