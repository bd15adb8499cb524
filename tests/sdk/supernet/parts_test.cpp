#include <ATen/ATen.h>

#include <set>

#include "mixop/chain.hpp"
#include "mixop/space.hpp"
#include "tests/catch.hpp"
#include "tests/support/search_fixture.hpp"

namespace {

using namespace mixop;

/// An operator of a third party as plugins make them: a matrix over channels, by its own forward, without structure.
class Blend final : public Operator {
 public:
  explicit Blend(const OpSpec& spec)
      : stride_(spec.stride),
        state_{{"mix", at::randn({spec.channels, spec.channels, 1, 1}).set_requires_grad(true), StateKind::parameter}} {
  }
  at::Tensor forward(const at::Tensor& input, const Forward&) override {
    return at::conv2d(input, state_[0].tensor, {}, stride_);
  }
  const std::vector<StateEntry>& state() override { return state_; }

 private:
  std::int64_t stride_;
  std::vector<StateEntry> state_;
};

/// The registry's operators and "test.blend", which does not tell its multiply-adds.
class WithBlend final : public OperatorCatalog {
 public:
  const MixopOperator& find_operator(const std::string& name, Domain domain) const override {
    static const MixopComponent blend = native_operator<Blend>("test.blend");
    return name == "test.blend" ? *static_cast<const MixopOperator*>(blend.table)
                                : registry_.find_operator(name, domain);
  }

 private:
  RegistryCatalog registry_{test::plugins()};
};

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
    if (prefix + part.name != "stem")  // an ImageNet one is stem0 and stem1
      CHECK(part.cost().parameters == stored_parameters(network, prefix + part.name));
    check_parameters(network, part.layers, (part.name == "stem" ? "" : prefix + part.name + "."));
  }
}

void check_sums(const Network& network) {
  const Cost cost = network.cost();
  CHECK(cost.parameters + network.auxiliary_parameters() == stored_parameters(network, ""));
  std::int64_t parameters = 0, multiply_adds = 0, activations = 0;
  for (const NetworkPart& part : network.parts()) {
    if (part.training_only) continue;
    parameters += part.cost().parameters;
    multiply_adds += part.cost().multiply_adds;
    activations += part.cost().activations;
  }
  CHECK(parameters == cost.parameters);
  CHECK(multiply_adds == cost.multiply_adds);
  CHECK(activations == cost.activations);
}

/// Stem and cells have the shapes of the trace, the classifier that of the logits.
void check_shapes(Network& network, const SpaceConfig& config) {
  std::vector<at::Tensor> trace;
  Pass pass;
  pass.trace = &trace;
  const Batch batch{at::randn({2, config.input.channels, config.input.height, config.input.width}),
                    at::zeros({2}, at::kLong)};
  std::vector<at::Tensor> alphas;
  for (const AlphaDeclaration& declared : network.alphas()) alphas.push_back(at::rand(declared.shape()));
  const EdgeWeights edges = alphas.empty() ? EdgeWeights{} : expand(network.alphas(), alphas);
  const Outcome outcome = network.loss(edges, batch, {}, pass);
  std::vector<at::Tensor> expected = trace;
  expected.push_back(outcome.output.unsqueeze(-1).unsqueeze(-1));
  std::size_t at = 0;
  for (const NetworkPart& part : network.parts()) {
    if (part.training_only) continue;
    INFO(part.name);
    REQUIRE(at < expected.size());
    CHECK(part.output.channels == expected[at].size(1));
    CHECK(part.output.height == expected[at].size(2));
    CHECK(part.output.width == expected[at].size(3));
    ++at;
  }
  CHECK(at == expected.size());
}

void check(Network& network, const SpaceConfig& config) {
  check_sums(network);
  check_parameters(network, network.parts(), "");
  check_shapes(network, config);
}

SpaceConfig sizes(std::int64_t channels, std::int64_t layers, std::int64_t height, std::int64_t width) {
  SpaceConfig config;
  config.channels = channels;
  config.layers = layers;
  config.input = {3, height, width};
  config.classes = 7;
  return config;
}

TEST_CASE("the parts of discrete networks have the parameters of their tensors and the shapes of their outputs",
          "[supernet][parts]") {
  const WithBlend operators;
  for (const char* name : {"darts_cnn", "ddarts", "dartopti"}) {
    const auto space = make_part<SearchSpace>(test::plugins(), name, {});
    for (const NamedGenotype& named : space->genotypes()) {
      INFO(name << "/" << named.name);
      const auto listed = static_cast<std::int64_t>(named.genotype.positions());
      SpaceConfig config = sizes(4, listed > 0 ? listed : 5, 36, 33);
      config.auxiliary = true;
      check(*space->network(config, named.genotype, operators), config);
    }
  }
  SpaceConfig imagenet = sizes(6, 4, 130, 75);
  imagenet.stem = "imagenet";
  check(*test::darts_space()->network(imagenet, test::darts_space()->genotypes().back().genotype, operators), imagenet);
}

TEST_CASE("the parts of supernets have the parameters of their tensors and the shapes of their outputs",
          "[supernet][parts]") {
  const WithBlend operators;
  const auto transform = make_part<EdgeTransform>(test::plugins(), "none", {});
  for (const char* name : {"darts_cnn", "ddarts", "dartopti"}) {
    INFO(name);
    const auto space = make_part<SearchSpace>(test::plugins(), name, {});
    SpaceConfig config = sizes(3, 4, 17, 16);
    config.operations = space->default_operations();
    config.operations.push_back("test.blend");
    const auto network = space->supernet(config, operators, *transform);
    check(*network, config);
    CHECK(network->cost().uncounted == std::vector<std::string>(4 * 14, "test.blend"));
  }
}

TEST_CASE("what an operator does not tell is missing in its layer alone", "[supernet][parts]") {
  const WithBlend operators;
  Genotype genotype = test::darts_space()->genotypes().front().genotype;
  genotype.cells[0].genes[0].operation = "test.blend";
  const SpaceConfig config = sizes(4, 3, 16, 16);
  const auto network = test::darts_space()->network(config, genotype, operators);
  check(*network, config);
  const NetworkPart& cell = network->parts().at(1);
  REQUIRE(cell.kind == "normal");
  const NetworkPart& blend = cell.layers.at(2);
  CHECK(blend.kind == "test.blend 1 -> 2");
  CHECK(blend.cost().parameters == 16);
  CHECK(blend.cost().multiply_adds == 0);
  CHECK(blend.cost().activations == 4 * 16 * 16);  // without structure, its output alone
  CHECK(blend.cost().uncounted == std::vector<std::string>{"test.blend"});
}

TEST_CASE("the parts of the recurrent networks have the parameters of their tensors", "[parts][rnn]") {
  const auto space = make_part<SearchSpace>(test::plugins(), "darts_rnn", {});
  const auto transform = make_part<EdgeTransform>(test::plugins(), "none", {});
  const RegistryCatalog operators(test::plugins());
  SpaceConfig config;
  config.width = 5;
  config.classes = 11;
  config.nodes = 3;
  config.operations = space->default_operations();
  std::vector<std::unique_ptr<Network>> networks;
  networks.push_back(space->supernet(config, operators, *transform));
  for (const NamedGenotype& named : space->genotypes())
    networks.push_back(space->network(config, named.genotype, operators));
  for (const auto& network : networks) {
    check_sums(*network);
    check_parameters(*network, {network->parts().at(1)}, "");
    CHECK(network->parts().at(0).cost().parameters == 11 * 5);
    CHECK(network->parts().at(2).cost().parameters == 11);  // the matrix is the embedding's
    CHECK(network->parts().at(2).output.channels == 11);
  }
}

TEST_CASE("activations are what a chain's stages put out, and not what is done in place", "[supernet][parts]") {
  Cost cost;
  Chain("op.")
      .relu()
      .conv({.in = 4, .out = 6, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}})
      .batch_norm(6, true)
      .relu()
      .identity()
      .max_pool(3, 1, 1)
      .measure({4, 9, 8}, cost);
  CHECK(cost.activations == 4 * 9 * 8 + 3 * 6 * 5 * 4);  // ReLU, convolution, norm, pool
}

TEST_CASE("candidates that begin alike put their beginning out once", "[supernet][parts]") {
  const RegistryCatalog operators(test::plugins());
  const auto transform = make_part<EdgeTransform>(test::plugins(), "none", {});
  SpaceConfig config = sizes(4, 1, 8, 8);
  config.nodes = 2;
  config.operations = {"none", "dil_conv_3x3", "dil_conv_5x5"};
  config.stem = "cifar";
  const auto network = test::darts_space()->supernet(config, operators, *transform);
  const NetworkPart& cell = network->parts().at(1);
  const auto of = [&](std::size_t edge, std::size_t candidate) {
    return cell.layers.at(2 + edge).layers.at(candidate).cost().activations;
  };
  REQUIRE(cell.kind == "reduce");
  const std::int64_t node = 8 * 4 * 4, input = 8 * 8 * 8;
  CHECK(of(0, 0) == 0);                 // none is not computed
  CHECK(of(0, 1) == input + 3 * node);  // the ReLU of input 0, then two convolutions and a norm
  CHECK(of(0, 2) == 3 * node);
  CHECK(of(2, 1) == 3 * node);  // input 0 again, to the second node
  CHECK(of(4, 1) == 4 * node);  // the first node's own ReLU
}

}  // namespace
