#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "host/graph/edge_rule.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/runtime/fused/buffers.hpp"
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

/// While it lives, no fused cell finds numbers in memory that it has not written.
struct Poison {
  Poison() { BufferPool::poison(true); }
  ~Poison() { BufferPool::poison(false); }
};

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
  Poison poison;
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
  for (std::size_t i = 0; i < own.size(); ++i)
    if (const auto& weighed = network.alphas()[i].weighs) relaxed[static_cast<std::size_t>(*weighed)].edges = own[i];
  const Outcome outcome = network.loss(relaxed, batch, {}, pass);
  Found found{outcome.loss.detach(), outcome.output.defined() ? outcome.output.detach() : outcome.loss.detach(), {}, {}};
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
  if (graph.language_model) {
    const auto words = [&] { return at::randint(graph.language_model->words, {7, images}, at::kLong); };
    return {words(), words()};
  }
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
        CHECK(difference < tolerance * (plain.gradients[i].abs().max().item<double>() + 1e-3 * std::max(largest, 1e-3)));
      }
      for (std::size_t i = 0; i < plain.buffers.size(); ++i)
        CHECK(disagreement(fused.buffers[i], plain.buffers[i]) < tolerance);
    }
}

constexpr double kInDouble = 1e-11;

NetworkGraph supernet(const std::string& space, const SpaceConfig& config) {
  return test::described_space(space)->search(config);
}

SpaceConfig supernet_config(const std::string& space, std::int64_t channels, std::int64_t layers, std::int64_t height,
                            std::int64_t width) {
  SpaceConfig config = test::sizes_of(channels, layers, height, width);
  config.operations = test::described_space(space)->defaults().operations;
  config.stem = "cifar";
  return config;
}

/// How far a network of one cell in float32 is from the same one in float64: outputs, gradients of alphas and of weights,
/// each by the norm of the difference over the norm.
std::vector<double> errors_in_float(const NetworkGraph& graph, Execution execution, std::uint64_t seed) {
  std::vector<Found> found;  // float32, float64
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    at::manual_seed(seed);
    const auto network = compile(graph, RegistryCatalog(test::plugins()), {at::kCPU, type},
                                 type == at::kFloat ? execution : Execution::plain);
    const auto rounded = [&](const at::Tensor& numbers) { return numbers.to(at::kFloat).to(type); };
    at::manual_seed(seed + 1);
    const at::NoGradGuard no_grad;
    for (const StateEntry& entry : network->state())
      if (entry.kind == StateKind::parameter)
        at::Tensor(entry.tensor).copy_(rounded(at::randn(entry.tensor.sizes(), at::kDouble) * 0.3));
    std::vector<at::Tensor> alphas;
    for (const AlphaSet& set : graph.alphas) alphas.push_back(rounded(at::rand(set.shape(), at::kDouble)));
    Batch batch = random_batch(graph, 4, at::kDouble);
    batch.input = rounded(batch.input);
    const at::AutoGradMode grad(true);
    found.push_back(run(*network, alphas, batch, {}, true, true));
  }
  const auto error = [&](std::size_t first, std::size_t end) {
    double difference = 0, whole = 0;
    for (std::size_t i = first; i < end; ++i) {
      const at::Tensor exact = found[1].gradients[i];
      difference += (found[0].gradients[i].to(at::kDouble) - exact).square().sum().item<double>();
      whole += exact.square().sum().item<double>();
    }
    return std::sqrt(difference / whole);
  };
  const at::Tensor exact = found[1].output;
  return {((found[0].output.to(at::kDouble) - exact).norm() / exact.norm()).item<double>(), error(0, graph.alphas.size()),
          error(graph.alphas.size(), found[1].gradients.size())};
}

TEST_CASE("a fused cell in float32 is no further from float64 than a plain one", "[runtime][fused]") {
  std::vector<double> worst[2] = {{0, 0, 0}, {0, 0, 0}};
  for (const std::int64_t channels : {3, 8, 16}) {
    SpaceConfig config = supernet_config("darts_cnn", channels, 1, 14, 11);
    config.nodes = 3;
    for (const std::uint64_t seed : {3, 17, 29, 41})
      for (const Execution execution : {Execution::plain, Execution::fused}) {
        const std::vector<double> errors = errors_in_float(supernet("darts_cnn", config), execution, seed);
        for (std::size_t i = 0; i < errors.size(); ++i) {
          double& held = worst[execution == Execution::fused ? 1 : 0][i];
          held = std::max(held, errors[i]);
        }
      }
  }
  for (std::size_t i = 0; i < 3; ++i) {
    INFO((i == 0 ? "output" : i == 1 ? "gradients of alphas" : "gradients of weights") << ": plain " << worst[0][i]
                                                                                       << ", fused " << worst[1][i]);
    CHECK(worst[1][i] < (i == 2 ? 2e-6 : 1e-6));  // those of weights stem from sums over all images and places
    CHECK(worst[1][i] < 2 * worst[0][i]);
  }
}

TEST_CASE("fused and plain execution of a DARTS supernet agree in double precision", "[runtime][fused]") {
  for (const std::int64_t channels : {2, 3, 4, 5, 8, 16}) {
    INFO(channels << " channels");
    SpaceConfig config = supernet_config("darts_cnn", channels, 3, 13, 11);
    config.nodes = 3;
    compare(supernet("darts_cnn", config), 3, at::kDouble, kInDouble);
  }
}

TEST_CASE("fused and plain execution agree on maps smaller than their windows and on one image", "[runtime][fused]") {
  for (const std::int64_t size : {5, 8, 16}) {
    INFO("images of " << size << " pixels");
    SpaceConfig config = supernet_config("darts_cnn", 4, 5, size, size + 1);
    config.nodes = 2;
    Pass pass;
    // In training, what is pooled from one image's normalised maps is zero, and so are all gradients.
    pass.training = pass.update_statistics = size != 16;
    compare(supernet("darts_cnn", config), size == 16 ? 1 : 3, at::kDouble, kInDouble, pass);
  }
  SpaceConfig imagenet = supernet_config("darts_cnn", 6, 3, 64, 64);
  imagenet.stem = "imagenet";
  imagenet.nodes = 2;
  compare(supernet("darts_cnn", imagenet), 2, at::kDouble, kInDouble);
}

TEST_CASE("fused and plain execution agree on spaces of other shapes and operators", "[runtime][fused]") {
  SpaceConfig config = supernet_config("nasbench201", 4, 3, 12, 12);
  compare(supernet("nasbench201", config), 3, at::kDouble, kInDouble);
  SpaceConfig wide = supernet_config("darts_cnn", 4, 3, 10, 9);
  wide.nodes = 2;
  wide.operations = {"none", "conv_7x1_1x7", "conv_3x1_1x3", "simple_conv_1x1", "simple_conv_3x3", "bottleneck_1x3x1",
                     "sep_conv_7x7", "skip_connect"};
  compare(supernet("darts_cnn", wide), 2, at::kDouble, kInDouble);
  SpaceConfig cells = supernet_config("ddarts", 4, 4, 12, 12);
  compare(supernet("ddarts", cells), 2, at::kDouble, kInDouble);
}

TEST_CASE("fused and plain execution agree where channels pass the candidates by", "[runtime][fused]") {
  SpaceConfig config = supernet_config("darts_cnn", 8, 3, 13, 11);
  config.nodes = 3;
  for (const EdgeRuleData rule : {EdgeRuleData{4, true}, EdgeRuleData{2, false}, EdgeRuleData{8, false}}) {
    INFO("divisor " << rule.channel_divisor << (rule.edge_weights ? ", edges weighed" : ""));
    compare(with_rule(supernet("darts_cnn", config), rule), 3, at::kDouble, kInDouble);
  }
  config.operations = {"none", "sep_conv_3x3", "skip_connect"};
  config.nodes = 2;
  const NetworkGraph graph = with_rule(supernet("darts_cnn", config), {2, true});
  // The operation none alone is computed of some edges: the sum of their node's candidates has fewer terms, or none.
  std::vector<std::vector<bool>> active;
  for (const AlphaSet& set : graph.alphas) {
    std::vector<bool>& own = active.emplace_back(set.weighs ? 0 : 3 * set.topology.edges.size());
    for (std::size_t i = 0; i < own.size(); ++i) own[i] = i < 6 ? i % 3 == 0 : i % 3 == 1;
  }
  compare(graph, 2, at::kDouble, kInDouble, {}, active);
  const SpaceConfig cells = supernet_config("nasbench201", 4, 3, 12, 12);
  compare(with_rule(supernet("nasbench201", cells), {2, true}), 3, at::kDouble, kInDouble);
}

TEST_CASE("fused and plain execution of a recurrent search agree in double precision", "[runtime][fused][rnn]") {
  SpaceConfig config;
  config.width = 37;
  config.classes = 11;
  config.nodes = 4;
  config.operations = test::described_space("darts_rnn")->defaults().operations;
  const NetworkGraph graph = supernet("darts_rnn", config);
  compare(graph, 5, at::kDouble, kInDouble);
  Pass evaluation;
  evaluation.training = evaluation.update_statistics = false;
  compare(graph, 5, at::kDouble, kInDouble, evaluation);
}

TEST_CASE("a candidate without a structure runs beside the fused ones", "[runtime][fused]") {
  SpaceConfig config = supernet_config("darts_cnn", 3, 3, 10, 10);
  config.nodes = 2;
  config.operations = {"sep_conv_3x3", "cuda_probe", "max_pool_3x3"};
  const NetworkGraph graph = supernet("darts_cnn", config);
  compare(graph, 2, at::kDouble, kInDouble);
  config.operations = {"cuda_probe"};
  compare(supernet("darts_cnn", config), 2, at::kDouble, kInDouble);
}

TEST_CASE("inactive operations are left out of fused cells as of plain ones", "[runtime][fused]") {
  SpaceConfig config = supernet_config("darts_cnn", 4, 3, 8, 8);
  config.nodes = 3;
  const NetworkGraph graph = supernet("darts_cnn", config);
  for (const std::size_t kept : {std::size_t{1}, std::size_t{4}}) {
    INFO("one operation an edge at most, another one on every edge, from operation " << kept << " on");
    std::vector<std::vector<bool>> active;
    for (const AlphaSet& set : graph.alphas) {
      const std::vector<std::int64_t> shape = set.shape();
      active.emplace_back(static_cast<std::size_t>(shape[0] * shape[1]), false);
      for (std::size_t i = kept; i < active.back().size(); i += 9) active.back()[i] = true;
    }
    compare(graph, 2, at::kDouble, kInDouble, {}, active);
  }
}

TEST_CASE("fused and plain networks of genotypes agree with drop-path, auxiliary head and affine norms",
          "[runtime][fused]") {
  SpaceConfig config = test::sizes_of(4, 5, 32, 32);
  config.auxiliary = true;
  Pass pass;
  pass.drop_path = 0.3;
  pass.key = 11;
  for (const char* name : {"NASNet", "AmoebaNet", "DARTS_V1", "DARTS_V2"}) {
    INFO(name);
    compare(test::described_space("darts_cnn")->network(config, test::published_genotype("darts_cnn", name)), 3,
            at::kDouble, kInDouble, pass);
  }
}

TEST_CASE("a fused network evaluates by running statistics as a plain one does", "[runtime][fused]") {
  Pass pass;
  pass.training = pass.update_statistics = false;
  SpaceConfig config = supernet_config("darts_cnn", 4, 3, 9, 9);
  compare(supernet("darts_cnn", config), 2, at::kDouble, kInDouble, pass);
  SpaceConfig discrete = test::sizes_of(4, 5, 32, 32);
  compare(test::described_space("darts_cnn")->network(discrete, test::published_genotype("darts_cnn", "DARTS_V1")), 3,
          at::kDouble, kInDouble, pass);
}

TEST_CASE("a fused network's float32 outputs are as near to double precision as a plain one's", "[runtime][fused]") {
  SpaceConfig config = supernet_config("darts_cnn", 8, 3, 16, 16);
  const NetworkGraph graph = supernet("darts_cnn", config);
  Pair floats(graph, at::kFloat), doubles(graph, at::kDouble);
  const std::vector<StateEntry>& exact = doubles.networks[0]->state();
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const at::NoGradGuard no_grad;
    for (const auto& network : floats.networks) at::Tensor(network->state()[i].tensor).copy_(exact[i].tensor);
    at::Tensor(exact[i].tensor).copy_(floats.networks[0]->state()[i].tensor);
  }
  const std::vector<at::Tensor> alphas = random_alphas(graph, at::kFloat);
  const Batch batch = random_batch(graph, 8, at::kFloat);
  std::vector<at::Tensor> in_double;
  for (const at::Tensor& alpha : alphas) in_double.push_back(alpha.to(at::kDouble));
  const Pass pass;
  const Found truth =
      run(*doubles.networks[0], in_double, {batch.input.to(at::kDouble), batch.target}, pass, false, false);
  const Found plain = run(*floats.networks[0], alphas, batch, pass, false, false);
  const Found fused = run(*floats.networks[1], alphas, batch, pass, false, false);
  const double of_plain = disagreement(plain.output, truth.output), of_fused = disagreement(fused.output, truth.output);
  INFO("plain is off by " << of_plain);
  CHECK(of_fused < 2 * of_plain);
}

TEST_CASE("the number of threads changes no bit of a fused network", "[runtime][fused]") {
  SpaceConfig config = supernet_config("darts_cnn", 4, 3, 9, 9);
  const NetworkGraph graph = supernet("darts_cnn", config);
  Pair pair(graph, at::kFloat);
  const std::vector<at::Tensor> alphas = random_alphas(graph, at::kFloat);
  const Batch batch = random_batch(graph, 5, at::kFloat);
  Pass pass;
  pass.update_statistics = false;
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Found one = run(*pair.networks[1], alphas, batch, pass, true, true);
  at::set_num_threads(3);
  const Found three = run(*pair.networks[1], alphas, batch, pass, true, true);
  at::set_num_threads(before);
  // The stem and the classifier are LibTorch's, whose sums do depend on the threads: their inputs come from the cells.
  CHECK(disagreement(three.loss, one.loss) < 1e-6);
  for (std::size_t i = 0; i < one.gradients.size(); ++i) CHECK(disagreement(three.gradients[i], one.gradients[i]) < 1e-3);
}

TEST_CASE("a second backward pass of a fused cell is refused with what to do", "[runtime][fused]") {
  SpaceConfig config = supernet_config("darts_cnn", 2, 3, 8, 8);
  const NetworkGraph graph = supernet("darts_cnn", config);
  Pair pair(graph, at::kFloat);
  std::vector<at::Tensor> alphas = random_alphas(graph, at::kFloat);
  for (const at::Tensor& alpha : alphas) alpha.set_requires_grad(true);
  const Outcome outcome =
      pair.networks[1]->loss(test::as_relaxed(alphas), random_batch(graph, 2, at::kFloat), {}, Pass());
  (void)torch::autograd::grad({outcome.loss}, {alphas[0]}, {}, /*retain_graph=*/true);
  CHECK_THROWS_WITH(torch::autograd::grad({outcome.loss}, {alphas[0]}),
                    Catch::Contains("for one pass") && Catch::Contains("execution=plain"));
}

}  // namespace
