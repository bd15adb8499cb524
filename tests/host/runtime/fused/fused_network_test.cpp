#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "host/graph/operator_catalog.hpp"
#include "host/runtime/network.hpp"
#include "mixop/gradients.hpp"
#include "tests/catch.hpp"
#include "tests/support/descriptions.hpp"
#include "tests/support/plugins.hpp"
#include "tests/support/relaxed.hpp"

namespace {

using namespace mixop;

/// The largest difference, seen against the largest number.
double disagreement(const at::Tensor& found, const at::Tensor& expected) {
  if (!found.defined() && !expected.defined()) return 0;
  const double largest = expected.abs().max().item<double>();
  return (found.to(at::kDouble) - expected.to(at::kDouble)).abs().max().item<double>() / std::max(largest, 1e-12);
}

/// A network in both executions, with the same weights.
struct Pair {
  Pair(const NetworkGraph& graph, at::ScalarType type) {
    for (const Execution execution : {Execution::plain, Execution::fused}) {
      at::manual_seed(7);
      networks.push_back(compile(graph, RegistryCatalog(test::plugins()), {at::kCPU, type}, execution));
    }
    const at::NoGradGuard no_grad;
    // Affine norms start at 1 and 0, where half of their gradients' formulae vanish.
    for (std::size_t i = 0; i < networks[0]->state().size(); ++i) {
      const at::Tensor tensor = networks[0]->state()[i].tensor;
      if (tensor.is_floating_point()) tensor.add_(at::rand_like(tensor), 0.1);
      at::Tensor(networks[1]->state()[i].tensor).copy_(tensor);
    }
  }
  std::vector<std::unique_ptr<Network>> networks;  // plain, fused
};

struct Found {
  at::Tensor loss, output;
  std::vector<at::Tensor> gradients, buffers;
};

std::vector<at::Tensor> parameters(const Network& network) {
  std::vector<at::Tensor> all;
  for (const StateEntry& entry : network.state())
    if (entry.kind == StateKind::parameter) all.push_back(entry.tensor);
  return all;
}

Found run(Network& network, const std::vector<at::Tensor>& alphas, const Batch& batch, const Pass& pass, bool of_alphas,
          bool of_weights, const std::vector<std::vector<bool>>& active = {}) {
  std::vector<at::Tensor> leaves, own;
  for (const at::Tensor& alpha : alphas) own.push_back(alpha.detach().clone().set_requires_grad(of_alphas));
  for (const at::Tensor& weight : parameters(network)) weight.set_requires_grad(of_weights);
  if (of_alphas) leaves = own;
  if (of_weights)
    for (const at::Tensor& weight : parameters(network)) leaves.push_back(weight);
  std::vector<Relaxed> relaxed = test::as_relaxed(own);
  for (std::size_t i = 0; i < active.size(); ++i) relaxed[i].active = active[i];
  const Outcome outcome = network.loss(relaxed, batch, {}, pass);
  Found found{outcome.loss.detach(), outcome.output.detach(), {}, {}};
  if (!leaves.empty()) found.gradients = gradients(outcome.loss, leaves);
  for (const StateEntry& entry : network.state())
    if (entry.kind == StateKind::buffer) found.buffers.push_back(entry.tensor.detach().clone());
  return found;
}

std::vector<at::Tensor> random_alphas(const NetworkGraph& graph, at::ScalarType type) {
  std::vector<at::Tensor> alphas;
  for (const AlphaSet& set : graph.alphas) alphas.push_back(at::rand(set.shape(), at::TensorOptions(type)));
  return alphas;
}

Batch random_batch(const NetworkGraph& graph, std::int64_t images, at::ScalarType type) {
  return {at::randn({images, graph.input.channels, graph.input.height, graph.input.width}, at::TensorOptions(type)),
          at::randint(graph.classes, {images}, at::kLong)};
}

/// Both executions, in every combination of wanted gradients.
void compare(const NetworkGraph& graph, std::int64_t images, at::ScalarType type, double tolerance,
             const Pass& pass = {}, const std::vector<std::vector<bool>>& active = {}) {
  Pair pair(graph, type);
  const std::vector<at::Tensor> alphas = random_alphas(graph, type);
  const Batch batch = random_batch(graph, images, type);
  std::vector<std::string> names;
  for (const StateEntry& entry : pair.networks[0]->state())
    if (entry.kind == StateKind::parameter) names.push_back(entry.name);
  for (const bool of_alphas : {true, false})
    for (const bool of_weights : {true, false}) {
      INFO("gradients of alphas " << of_alphas << ", of weights " << of_weights);
      const Found plain = run(*pair.networks[0], alphas, batch, pass, of_alphas, of_weights, active);
      const Found fused = run(*pair.networks[1], alphas, batch, pass, of_alphas, of_weights, active);
      CHECK(disagreement(fused.loss, plain.loss) < tolerance);
      CHECK(disagreement(fused.output, plain.output) < tolerance);
      REQUIRE(fused.gradients.size() == plain.gradients.size());
      double largest = 0;
      for (const at::Tensor& gradient : plain.gradients) largest = std::max(largest, gradient.abs().max().item<double>());
      for (std::size_t i = 0; i < plain.gradients.size(); ++i) {
        const auto set = static_cast<std::size_t>(i) - (of_alphas ? alphas.size() : 0);
        INFO("gradient of " << (of_alphas && i < alphas.size() ? "alphas " + std::to_string(i) : names[set]));
        // Gradients that vanish but for rounding are seen against the others.
        const double difference = (fused.gradients[i] - plain.gradients[i]).abs().max().item<double>();
        CHECK(difference < tolerance * (plain.gradients[i].abs().max().item<double>() + 1e-3 * largest));
      }
      for (std::size_t i = 0; i < plain.buffers.size(); ++i)
        CHECK(disagreement(fused.buffers[i], plain.buffers[i]) < tolerance);
    }
}

constexpr double kInDouble = 1e-11;

NetworkGraph supernet(const std::string& space, const SpaceConfig& config) {
  return test::described_space(space)->search(config);
}

TEST_CASE("fused and plain execution of a DARTS supernet agree in double precision", "[runtime][fused]") {
  for (const std::int64_t channels : {2, 3, 4, 5, 8, 16}) {
    INFO(channels << " channels");
    SpaceConfig config = test::sizes_of(channels, 3, 13, 11);
    config.operations = test::described_space("darts_cnn")->default_operations();
    config.nodes = 3;
    config.stem = "cifar";
    compare(supernet("darts_cnn", config), 3, at::kDouble, kInDouble);
  }
}

}  // namespace
