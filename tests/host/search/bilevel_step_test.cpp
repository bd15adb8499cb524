#include "host/search/bilevel_step.hpp"

#include <ATen/ATen.h>

#include <set>

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

/// Strategies whose relaxation asks which operations it has drawn.
const std::set<std::string> kWaiting{"gdas"};

/// Where a step is taken, and how.
struct Run {
  at::DeviceType device = kMeta;
  Execution execution = Execution::plain;
  std::int64_t side = 16, nodes = 4;
  at::TensorOptions floats() const { return at::TensorOptions(at::kFloat).device(device); }
  at::Tensor images() const { return at::rand({4, 3, side, side}, floats()); }
  at::Tensor integers(at::IntArrayRef shape) const { return at::ones(shape, floats().dtype(at::kLong)); }
};

SpaceConfig config_of(const std::string& name, const SearchSpace& space, const Run& run) {
  SpaceConfig config;
  config.channels = 4;
  config.layers = 3;
  config.nodes = run.nodes + (name == "nasbench201" ? 1 : 0);  // which counts the input, too
  config.width = 6;
  config.input = {3, run.side, run.side};
  config.operations = space.defaults().operations;
  if (name == "dartopti") {
    config.layers = config.nodes = 4;
    set_baseline(config, "ResNet18", space, name);
  }
  return config;
}

/// Two steps of a search, of which the second moves the alphas: all numbers that it leaves, and how far those have
/// moved.
struct Taken {
  std::vector<at::Tensor> numbers, moves;
};

Taken take_steps(const std::string& name, const std::string& strategy, const std::string& edge_rule,
                 const Run& run = {}) {
  const auto space = make_part<SearchSpace>(test::plugins(), name, {});
  SlotNames exchanged;
  exchanged["edge_rule"] = edge_rule;
  Composition composition(test::plugins(), parts_of(test::plugins(), {strategy, exchanged}));
  const NetworkGraph graph =
      with_rule(space->search(config_of(name, *space, run)), composition.part<EdgeRule>().rule());
  const RegistryCatalog operators(test::plugins());
  const auto network = compile(graph, operators, {at::Device(run.device), at::kFloat}, run.execution);
  composition.begin(searched_sets(graph, operators));
  std::vector<at::Tensor> alphas, start;
  for (const AlphaSet& set : network->alphas()) {
    alphas.push_back(at::randn(set.shape(), run.floats()));
    start.push_back(alphas.back().clone());
  }
  Sgd weights(parameters_of(*network), 0.9, 3e-4);
  Adam adam(alphas, {0.5, 0.999}, 1e-3);
  SearchProblem problem(*network, alphas, composition, weights);
  const bool text = space->domain() == Domain::recurrent;
  const Batch batch = text ? Batch{run.integers({5, 4}), run.integers({5, 4})} : Batch{run.images(), run.integers({4})};
  for (const bool alphas_move : {false, true}) {
    problem.set_step({batch, batch, {1, 4, 1}, 1, 0.025, 5});
    take_bilevel_step(problem, composition, adam, weights, {0.025, 3e-4, alphas_move});
  }
  CHECK(problem.train_value().device().type() == run.device);
  CHECK(problem.train_value().dim() == 0);
  Taken taken{parameters_of(*network), {}};
  taken.numbers.push_back(problem.train_value());
  for (std::size_t i = 0; i < alphas.size(); ++i) taken.moves.push_back(alphas[i].detach() - start[i]);
  return taken;
}

/// Calls `visit` with every space and every strategy that is for it.
template <class Visit>
void for_all_strategies(Visit visit) {
  std::size_t spaces = 0, strategies = 0;
  for (const std::string& space : test::plugins().names(SearchSpace::interface_id)) {
    ++spaces;
    strategies = 0;
    for (const std::string& strategy : test::plugins().names(MIXOP_STRATEGY_INTERFACE)) {
      ++strategies;
      if (strategy == "pc_darts" && space == "darts_rnn") continue;
      INFO(strategy << " on " << space);
      visit(space, strategy);
    }
  }
  CHECK((spaces >= 5 && strategies >= 15));
}

TEST_CASE("no step of any strategy on any space waits for the device, but where operations are drawn by the alphas",
          "[search][meta]") {
  for_all_strategies([](const std::string& space, const std::string& strategy) {
    if (kWaiting.count(strategy) == 0) CHECK_NOTHROW(take_steps(space, strategy, ""));
  });
}

TEST_CASE(
    "steps of every strategy on every space give finite numbers in fused cells, of those that wait in plain ones too",
    "[search][fused]") {
  for (const Execution execution : {Execution::plain, Execution::fused}) {
    for_all_strategies([&](const std::string& space, const std::string& strategy) {
      if (execution == Execution::plain && kWaiting.count(strategy) == 0) return;
      INFO((execution == Execution::fused ? "fused" : "plain"));
      at::manual_seed(6);
      const Taken taken = take_steps(space, strategy, "", {at::kCPU, execution, /*side=*/8, /*nodes=*/2});
      for (const at::Tensor& tensor : taken.numbers) REQUIRE(tensor.isfinite().all().item<bool>());
      for (const at::Tensor& move : taken.moves) {
        CHECK(move.isfinite().all().item<bool>());
        CHECK((move.abs().max().item<float>() > 0) == (strategy != "random_ws"));
      }
    });
  }
}

TEST_CASE("partial channels are refused where there are none", "[search][misuse]") {
  CHECK_THROWS_WITH(take_steps("darts_rnn", "pc_darts", ""), Catch::Contains("partial channels are for images"));
}

TEST_CASE("partial channels do not wait for the device either", "[search][meta]") {
  CHECK_NOTHROW(take_steps("darts_cnn", "second_order", "partial_channels"));
}

TEST_CASE("the meta device finds what waits", "[search][meta]") {
  CHECK_THROWS(at::empty({}, at::TensorOptions(at::kFloat).device(kMeta)).item());
}

}  // namespace
