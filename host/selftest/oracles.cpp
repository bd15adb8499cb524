#include "host/selftest/oracles.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/graph/measure.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/search/archived_run.hpp"
#include "host/selftest/second_order_oracles.hpp"
#include "host/selftest/small_search.hpp"
#include "mixop/gradients.hpp"

namespace mixop {
namespace {

constexpr double kStep = 1e-6;  // of central differences

double alpha_gradient(const PluginRegistry& plugins) {
  SmallSearch search(plugins, "first_order", at::kDouble);
  const auto found = search.composition.part<Hypergradient>().alpha_gradients(*search.problem);
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    worst = worse(worst, difference_quotient_error(search.alphas[i], found[i], [&] {
                    return search.problem->valid_loss(Wrt::nothing, false).item<double>();
                  }));
  return worst;
}

double weight_gradient(const PluginRegistry& plugins) {
  SmallSearch search(plugins, "first_order", at::kDouble);
  const auto& weights = search.problem->weights();
  const auto found = gradients(search.problem->train_loss(Wrt::weights, false), weights);
  double worst = 0;
  for (std::size_t i = 0; i < weights.size(); i += 20)
    worst = worse(worst, difference_quotient_error(weights[i], found[i], [&] {
                    return search.problem->train_loss(Wrt::nothing, false).item<double>();
                  }));
  return worst;
}

double sgd_step(const PluginRegistry&) {
  const at::Tensor weight = at::tensor({2.0, -1.0}, at::kDouble), gradient = at::tensor({0.5, 0.25}, at::kDouble);
  const at::Tensor first = gradient + 0.1 * weight;
  const at::Tensor after_first = weight - 0.01 * first;
  const at::Tensor expected = after_first - 0.01 * (0.9 * first + gradient + 0.1 * after_first);
  const at::Tensor live = weight.clone();
  Sgd sgd({live}, 0.9, 0.1);
  sgd.step({gradient}, 0.01);
  sgd.step({gradient}, 0.01);
  return (live - expected).abs().max().item<double>();
}

double adam_step(const PluginRegistry&) {
  const at::Tensor weight = at::tensor({2.0, -1.0}, at::kDouble), gradient = at::tensor({0.5, -0.25}, at::kDouble);
  const at::Tensor decayed = gradient + 0.1 * weight;
  const at::Tensor expected = weight - 0.01 * decayed / (decayed.abs() + 1e-8);
  const at::Tensor live = weight.clone();
  Adam({live}, {0.5, 0.999}, 0.1).step({gradient}, 0.01);
  return (live - expected).abs().max().item<double>();
}

double softmax_weights(const PluginRegistry& plugins) {
  const auto softmax = make_part<Relaxation>(plugins, "softmax", {});
  const at::Tensor alphas = at::tensor({0.0, std::log(3.0), std::log(4.0)}, at::kDouble).view({1, 3});
  return (softmax->relax(alphas, {}).weights - at::tensor({0.125, 0.375, 0.5}, at::kDouble)).abs().max().item<double>();
}

/// The number of genes that differ from those that the paper's rule gives by hand.
double derivation(const PluginRegistry& plugins) {
  const auto space = make_part<SearchSpace>(plugins, "darts_cnn", {});
  SpaceConfig config;
  config.nodes = 2;
  config.operations = {"none", "skip_connect", "sep_conv_3x3"};
  const at::Tensor alphas =
      at::tensor({9., 1., 0., 9., 0., 2., 9., 3., 0., 9., 0., 1., 9., 0., 4.}, at::kDouble).view({5, 3});
  const Derived derived =
      derive({space->search(config).alphas, {alphas, alphas}}, *make_part<Relaxation>(plugins, "softmax", {}),
             *make_part<Deriver>(plugins, "darts", {}), {});
  const std::vector<Gene> expected{
      {"sep_conv_3x3", 1, 2}, {"skip_connect", 0, 2}, {"sep_conv_3x3", 2, 3}, {"skip_connect", 0, 3}};
  double wrong = derived.genotype.cells.size() == 2 ? 0 : 1;
  for (const CellGenotype& cell : derived.genotype.cells)
    for (std::size_t i = 0; i < expected.size(); ++i)
      wrong += i >= cell.genes.size() || !(cell.genes[i] == expected[i]);
  return wrong;
}

double published_sizes(const PluginRegistry& plugins) {
  constexpr std::int64_t kDartsV2 = 3349342, kDartsV2MultiplyAdds = 528359040, kSupernet = 1930618;
  const auto space = make_part<SearchSpace>(plugins, "darts_cnn", {});
  SpaceConfig config;
  config.operations = space->defaults().operations;
  const RegistryCatalog operators(plugins);
  double off =
      std::abs(static_cast<double>(measure(space->search(config), operators).cost().parameters - kSupernet));
  config.channels = 36;
  config.layers = 20;
  bool found = false;
  for (const NamedGenotype& named : space->genotypes()) {
    if (named.name != "DARTS_V2") continue;
    found = true;
    const Cost cost = measure(space->network(config, named.genotype), operators).cost();
    off += std::abs(static_cast<double>(cost.parameters - kDartsV2)) +
           std::abs(static_cast<double>(cost.multiply_adds - kDartsV2MultiplyAdds));
  }
  return found ? off : std::numeric_limits<double>::infinity();
}

/// The number of weights whose bits differ between two equal second-order steps in float32.
double equal_bits(const PluginRegistry& plugins) {
  const auto step = [&] {
    SmallSearch search(plugins, "second_order", at::kFloat);
    (void)search.composition.part<Hypergradient>().alpha_gradients(*search.problem);
    const auto found = gradients(search.problem->weight_loss(), search.problem->weights());
    (void)clip(found, 5);
    search.weights->step(found, 0.025);
    std::vector<at::Tensor> flat;
    for (const StateEntry& entry : search.network->state())
      flat.push_back(entry.tensor.detach().to(at::kDouble).flatten());
    return at::cat(flat);
  };
  return step().ne(step()).sum().item<double>();
}

struct Oracle {
  const char* name;
  double allowed;
  double (*run)(const PluginRegistry&);
};

constexpr Oracle kOracles[] = {
    {"first-order alpha gradient against central differences", 1e-7, alpha_gradient},
    {"weight gradient against central differences", 1e-7, weight_gradient},
    {"second-order gradient of the paper's toy problem", 1e-11, toy_hypergradient},
    {"mixed second derivative against double backward, smooth network, relative", 1e-4, mixed_derivative_smooth},
    {"mixed second derivative against double backward, ReLU supernet, relative", 1e-6, mixed_derivative_supernet},
    {"SGD with momentum and decay against its closed form", 1e-15, sgd_step},
    {"Adam's first step against its closed form", 1e-15, adam_step},
    {"softmax against fractions", 1e-15, softmax_weights},
    {"derivation against the rule done by hand, genes wrong", 0, derivation},
    {"published parameters and multiply-adds, counted off", 0, published_sizes},
    {"two equal second-order steps in float32, weights that differ", 0, equal_bits},
};

}  // namespace

double worse(double one, double other) { return std::isnan(one) || one >= other ? one : other; }

double difference_quotient_error(const at::Tensor& tensor, const at::Tensor& gradient,
                                 const std::function<double()>& loss) {
  const at::NoGradGuard no_grad;
  const at::Tensor flat = tensor.detach().view(-1), expected = gradient.view(-1);
  double worst = 0;
  for (std::int64_t i = 0; i < flat.numel(); i += std::max<std::int64_t>(1, flat.numel() / 7)) {
    const double kept = flat[i].item<double>();
    flat[i].fill_(kept + kStep);
    const double above = loss();
    flat[i].fill_(kept - kStep);
    const double below = loss();
    flat[i].fill_(kept);
    worst = worse(worst, std::abs((above - below) / (2 * kStep) - expected[i].item<double>()));
  }
  return worst;
}

std::vector<OracleResult> run_oracles(const PluginRegistry& plugins) {
  std::vector<OracleResult> results;
  for (const Oracle& oracle : kOracles) {
    OracleResult result{oracle.name, 0, oracle.allowed, ""};
    try {
      result.deviation = oracle.run(plugins);
      if (std::isnan(result.deviation)) result.problem = "the deviation is not a number";
    } catch (const std::exception& error) {
      result.problem = first_paragraph(error.what());
    }
    results.push_back(result);
  }
  return results;
}

}  // namespace mixop
