#include <ATen/ATen.h>

#include <set>

#include "host/graph/measure.hpp"
#include "host/runtime/network.hpp"
#include "tests/support/descriptions.hpp"

namespace {

using namespace mixop;
using test::described;
using test::described_space;
using test::sizes_of;

/// Of the tensor of that name and those whose names it begins; of all for "".
std::int64_t stored_parameters(const Network& network, const std::string& name) {
  std::int64_t count = 0;
  std::set<const void*> seen;
  for (const StateEntry& entry : network.state())
    if (entry.kind == StateKind::parameter && (entry.name + ".").rfind(name.empty() ? "" : name + ".", 0) == 0 &&
        seen.insert(entry.tensor.unsafeGetTensorImpl()).second)
      count += entry.tensor.numel();
  return count;
}

/// Every part, and every layer, has the parameters of the tensors that its name begins.
void check_parameters(const Network& network, const std::vector<NetworkPart>& parts, const std::string& prefix) {
  for (const NetworkPart& part : parts) {
    INFO(prefix + part.name);
    CHECK(part.cost().parameters == stored_parameters(network, prefix + part.name));
    check_parameters(network, part.layers, prefix + part.name + ".");
  }
}

/// Every block has the shape of the trace; logits are flat there.
void check_shapes(Network& network, const MeasuredNetwork& measured) {
  const ImageShape& input = network.graph().input;
  std::vector<at::Tensor> trace;
  Pass pass;
  pass.trace = &trace;
  std::vector<Relaxed> relaxed;
  for (const AlphaSet& set : network.alphas()) relaxed.push_back({at::rand(set.shape())});
  const Batch batch{at::randn({2, input.channels, input.height, input.width}), at::zeros({2}, at::kLong)};
  (void)network.loss(relaxed, batch, {}, pass);
  REQUIRE(trace.size() == measured.parts.size());
  for (std::size_t i = 0; i < trace.size(); ++i) {
    INFO(measured.parts[i].name);
    const ImageShape& shape = measured.parts[i].output;
    const at::Tensor found = trace[i].dim() == 2 ? trace[i].unsqueeze(-1).unsqueeze(-1) : trace[i];
    CHECK(found.sizes() == at::IntArrayRef({2, shape.channels, shape.height, shape.width}));
  }
}

void check(const NetworkGraph& graph) {
  const MeasuredNetwork measured = measure(graph, described());
  const auto network = compile(graph, described());
  CHECK(measured.cost().parameters + measured.auxiliary_parameters() == stored_parameters(*network, ""));
  check_parameters(*network, measured.parts, "");
  check_shapes(*network, measured);
}

TEST_CASE("discrete networks have the parameters and shapes that they are measured to have", "[runtime][measure]") {
  for (const char* name : {"darts_cnn", "ddarts", "dartopti", "nasbench201"}) {
    const auto space = described_space(name);
    for (const NamedGenotype& named : space->genotypes()) {
      INFO(name << "/" << named.name);
      const auto listed = static_cast<std::int64_t>(named.genotype.positions());
      SpaceConfig config = sizes_of(4, listed > 0 ? listed : 6, 36, 33);
      config.auxiliary = true;
      check(space->network(config, named.genotype));
    }
  }
  SpaceConfig imagenet = sizes_of(6, 4, 130, 75);
  imagenet.stem = "imagenet";
  const auto space = described_space("darts_cnn");
  check(space->network(imagenet, space->genotypes().back().genotype));
}

TEST_CASE("supernets have the parameters and shapes that they are measured to have", "[runtime][measure]") {
  for (const char* name : {"darts_cnn", "ddarts", "dartopti", "nasbench201"}) {
    INFO(name);
    const auto space = described_space(name);
    SpaceConfig config = sizes_of(3, 3, 17, 16);
    config.operations = space->defaults().operations;
    check(space->search(config));
  }
}

TEST_CASE("recurrent cells have the parameters that they are measured to have", "[runtime][measure][rnn]") {
  const auto space = described_space("darts_rnn");
  SpaceConfig config;
  config.width = 5;
  config.classes = 11;
  config.nodes = 3;
  config.operations = space->defaults().operations;
  std::vector<NetworkGraph> graphs{space->search(config)};
  for (const NamedGenotype& named : space->genotypes()) graphs.push_back(space->network(config, named.genotype));
  for (const NetworkGraph& graph : graphs) {
    const MeasuredNetwork measured = measure(graph, described());
    const auto network = compile(graph, described());
    CHECK(measured.cost().parameters == stored_parameters(*network, ""));
    check_parameters(*network, {measured.parts.at(1)}, "");
  }
}

}  // namespace
