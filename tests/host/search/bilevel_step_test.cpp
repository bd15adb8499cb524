#include "host/search/bilevel_step.hpp"

#include <ATen/ATen.h>

#include "host/graph/edge_rule.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/runtime/network.hpp"
#include "host/search/baseline.hpp"
#include "tests/catch.hpp"
#include "tests/support/meta_kernels.hpp"
#include "tests/support/plugins.hpp"

// A tensor on the meta device has a shape and no numbers, so whatever waits for a number fails there.

namespace {

using namespace mixop;

constexpr auto kMeta = at::DeviceType::Meta;

at::Tensor images() { return at::empty({4, 3, 16, 16}, at::TensorOptions(at::kFloat).device(kMeta)); }
at::Tensor integers(at::IntArrayRef shape) { return at::empty(shape, at::TensorOptions(at::kLong).device(kMeta)); }

SpaceConfig config_of(const std::string& name, const SearchSpace& space) {
  SpaceConfig config;
  config.channels = 4;
  config.layers = 3;
  config.nodes = 4;
  config.width = 6;
  config.input = {3, 16, 16};
  config.operations = space.defaults().operations;
  if (name == "dartopti") {
    config.layers = 4;
    set_baseline(config, "ResNet18", space, name);
  }
  return config;
}

void take_step(const std::string& name, const std::string& strategy, const std::string& edge_rule) {
  const auto space = make_part<SearchSpace>(test::plugins(), name, {});
  SlotNames exchanged;
  exchanged["edge_rule"] = edge_rule;
  const Composition composition(test::plugins(), parts_of(test::plugins(), {strategy, exchanged}));
  const NetworkGraph graph = with_rule(space->search(config_of(name, *space)), composition.part<EdgeRule>().rule());
  const auto network = compile(graph, RegistryCatalog(test::plugins()), {at::Device(kMeta), at::kFloat});
  std::vector<at::Tensor> alphas;
  for (const AlphaSet& set : network->alphas())
    alphas.push_back(at::empty(set.shape(), at::TensorOptions(at::kFloat).device(kMeta)));
  Sgd weights(parameters_of(*network), 0.9, 3e-4);
  Adam adam(alphas, {0.5, 0.999}, 1e-3);
  SearchProblem problem(*network, alphas, composition, weights);
  const bool text = space->domain() == Domain::recurrent;
  const Batch batch = text ? Batch{integers({5, 4}), integers({5, 4})} : Batch{images(), integers({4})};
  for (const bool alphas_move : {false, true}) {
    problem.set_step({batch, batch, {}, 1, 0.025, 5});
    take_bilevel_step(problem, composition, adam, weights, {0.025, 3e-4, alphas_move});
  }
  CHECK(problem.train_value().is_meta());
  CHECK(problem.train_value().dim() == 0);
}

TEST_CASE("no step of any strategy on any space waits for the device", "[search][meta]") {
  std::size_t spaces = 0, strategies = 0;
  for (const std::string& space : test::plugins().names(SearchSpace::interface_id)) {
    ++spaces;
    strategies = 0;
    for (const std::string& strategy : test::plugins().names(MIXOP_STRATEGY_INTERFACE)) {
      INFO(strategy << " on " << space);
      ++strategies;
      CHECK_NOTHROW(take_step(space, strategy, ""));
    }
  }
  CHECK((spaces >= 5 && strategies >= 3));
}

TEST_CASE("partial channels do not wait for the device either", "[search][meta]") {
  CHECK_NOTHROW(take_step("darts_cnn", "second_order", "partial_channels"));
}

TEST_CASE("the meta device finds what waits", "[search][meta]") {
  CHECK_THROWS(at::empty({}, at::TensorOptions(at::kFloat).device(kMeta)).item());
}

}  // namespace
