#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "host/genotype/genotype_json.hpp"
#include "mixop/gradients.hpp"
#include "tests/support/listed_genotype.hpp"
#include "tests/support/discrete_fixture.hpp"

namespace {

using namespace mixop;

Part<SearchSpace> space(const std::string& name) { return make_part<SearchSpace>(test::plugins(), name, {}); }

Genotype published(const std::string& name) {
  for (const char* of : {"ddarts", "dartopti"})
    for (const NamedGenotype& named : space(of)->genotypes())
      if (named.name == name) return named.genotype;
  FAIL("no genotype " << name);
  return {};
}

std::unique_ptr<Network> build(const Genotype& genotype, std::int64_t layers, SpaceConfig config = {}) {
  config.channels = 4;
  config.layers = layers;
  return compile(space("ddarts")->network(config, genotype), RegistryCatalog(test::plugins()));
}

std::vector<std::string> parameter_names(const Network& network) {
  std::vector<std::string> names;
  for (const StateEntry& entry : network.state())
    if (entry.kind == StateKind::parameter) names.push_back(entry.name);
  return names;
}

void check_network(const std::string& file) {
  INFO(file);
  const test::Fixture fixture(test::path_of_optional(file));
  const Genotype genotype = genotype_of_keys(fixture.config(), file, ErrorCode::bad_data);
  const auto network = test::stored_network(fixture, *space("dartopti"), genotype);
  test::check_stored_network(fixture, *network);
}

TEST_CASE("discrete D-DARTS networks agree with the published code in double precision", "[space][parity]") {
  check_network("g_eval_ddarts_sparse_cifar10.h5");
  check_network("g_eval_ddarts_sparse_cifar10_derived14.h5");
}

TEST_CASE("discrete DARTOpti networks and baselines agree with the published code in double precision",
          "[space][parity]") {
  check_network("g_eval_baseline_ResNet18.h5");
  check_network("g_eval_resnet18_cifar10_sparse.h5");
}

TEST_CASE("nodes run in the order of the list, and an operation whose source comes later is dropped", "[space]") {
  const auto network = build(test::listed({{{"simple_conv_1x1", 0, 4},
                                      {"simple_conv_1x1", 1, 2},
                                      {"simple_conv_3x3", 2, 4},
                                      {"skip_connect", 4, 2},
                                      {"simple_conv_1x1", 4, 3}}}),
                             1);
  const std::vector<std::string> names = parameter_names(*network);
  const auto place = [&](const std::string& name) { return std::find(names.begin(), names.end(), name); };
  REQUIRE(place("cells.0._ops.4.2.0.op.1.weight") != names.end());
  CHECK(place("cells.0._ops.4.2.0.op.1.weight") < place("cells.0._ops.2.1.0.op.1.weight"));
  CHECK(place("cells.0._ops.2.1.0.op.1.weight") < place("cells.0._ops.3.4.0.op.1.weight"));
  const Batch batch{at::randn({2, 3, 8, 8}), at::tensor({1, 2}, at::kLong)};
  const auto found = gradients(network->loss({}, batch, {}, {}).loss, parameters_of(*network));
  for (std::size_t i = 0; i < names.size(); ++i) {
    INFO(names[i]);
    const bool dropped = names[i].rfind("cells.0._ops.4.2.", 0) == 0;
    if (names[i].find("weight") != std::string::npos) CHECK((found[i].abs().max().item<double>() == 0) == dropped);
  }
}

/// Runs a step of training with the auxiliary head, and an evaluation, on tiny images.
void check_runs(const Genotype& genotype, const std::string& stem, std::int64_t side, std::int64_t layers) {
  SpaceConfig config;
  config.stem = stem;
  config.input = {3, side, side};
  config.auxiliary = true;
  const auto network = build(genotype, layers, config);
  const Batch batch{at::randn({2, 3, side, side}), at::tensor({1, 2}, at::kLong)};
  const Outcome outcome = network->loss({}, batch, {}, {});
  CHECK(std::isfinite(outcome.loss.item<double>()));
  double total = 0;
  for (const at::Tensor& gradient : gradients(outcome.loss, parameters_of(*network)))
    total += gradient.abs().sum().item<double>();
  CHECK((std::isfinite(total) && total > 0));
  CHECK(network->loss({}, batch, {}, test::evaluation_pass()).output.sizes() == at::IntArrayRef({2, 10}));
}

TEST_CASE("every published network runs forward and backward with its auxiliary head", "[space]") {
  for (const char* name : {"ddarts", "dartopti"})
    for (const NamedGenotype& named : space(name)->genotypes()) {
      INFO(named.name);
      check_runs(named.genotype, "cifar", 32, static_cast<std::int64_t>(named.genotype.positions()));
    }
}

TEST_CASE("heads and classifiers fit maps that the published networks fail on", "[space]") {
  // ImageNet's stem quarters; two, three and four halvings follow.
  check_runs(published("D-DARTS_threshold_sparse_cifar10_0.85_50"), "imagenet", 64, 8);
  check_runs(published("D-DARTS_threshold_sparse_cifar10_0.85_50"), "imagenet", 224, 9);
  check_runs(published("ResNet18"), "imagenet", 80, 4);
  check_runs(published("Xception"), "imagenet", 64, 13);
  check_runs(published("Xception"), "cifar", 16, 13);  // a map of one pixel
}

TEST_CASE("drop-path masks the sum of a node for each image", "[space]") {
  Genotype genotype = test::listed({{{"skip_connect", 0, 2}, {"simple_conv_1x1", 1, 2}, {"simple_conv_1x1", 0, 3}}}, {2, 3});
  genotype.reductions = std::vector<int>{};
  const auto network = build(genotype, 1);
  const Batch batch{at::randn({64, 3, 8, 8}), at::zeros({64}, at::kLong)};
  std::vector<at::Tensor> trace;
  Pass pass;
  pass.drop_path = 0.5;
  pass.key = 7;
  pass.trace = &trace;
  (void)network->loss({}, batch, {}, pass);
  std::vector<at::Tensor> undropped;
  pass.drop_path = 0;
  pass.trace = &undropped;
  (void)network->loss({}, batch, {}, pass);
  const at::Tensor found = trace.at(1), whole = undropped.at(1);
  int dropped = 0;
  for (std::int64_t image = 0; image < 64; ++image)
    for (std::int64_t node = 0; node < 2; ++node) {
      const at::Tensor one = found[image].slice(0, 4 * node, 4 * node + 4);
      const at::Tensor expected = whole[image].slice(0, 4 * node, 4 * node + 4);
      const bool is_dropped = one.abs().max().item<double>() == 0;
      dropped += is_dropped;
      if (!is_dropped) CHECK(at::allclose(one, expected * 2));
    }
  CHECK((dropped > 40 && dropped < 88));  // 64 of 128 expected
}

}  // namespace
