#include "host/session/sample.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "host/graph/check.hpp"
#include "host/search/archived_run.hpp"
#include "host/search/search.hpp"
#include "host/session/application.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

/// Numbers of the standard normal distribution (Box and Muller 1958).
at::Tensor normal_numbers(at::IntArrayRef shape, std::uint64_t key) {
  RandomStream draws(key);
  at::Tensor numbers = at::empty(shape, at::kFloat);
  std::generate_n(numbers.mutable_data_ptr<float>(), numbers.numel(), [&] {
    const double radius = std::sqrt(-2 * std::log(1 - draws.uniform())), turn = 2 * std::numbers::pi * draws.uniform();
    return static_cast<float>(radius * std::cos(turn));
  });
  return numbers;
}

}  // namespace

Genotype sampled_genotype(const Config& config, const PluginRegistry& plugins, std::uint64_t seed) {
  const ComponentOptions options = options_of(config);
  const auto space = make_space(plugins, config.space.name, options);
  const NetworkGraph network = space->search(alphas_config(config.space, *space));
  AlphaCase drawn{network.alphas, {}, unused_alphas(network)};
  for (const AlphaSet& set : drawn.declarations)
    drawn.alphas.push_back(normal_numbers(set.shape(), key_of({seed, drawn.alphas.size()})));
  const PartChoices parts = parts_of(plugins, {"first_order", {}}, options);
  return derive(drawn, *make_part<Relaxation>(plugins, parts), *make_part<Deriver>(plugins, parts), {}).genotype;
}

}  // namespace mixop
