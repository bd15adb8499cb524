#include <ATen/ATen.h>

#include "tests/catch.hpp"
#include "tests/support/cellwise_search.hpp"

namespace {

using namespace mixop;
using test::disagreement;
using test::StoredCellwise;
using Tensors = std::vector<at::Tensor>;

std::vector<Relaxed> relaxed(const StoredCellwise& stored) { return {stored.relaxation->relax(stored.alphas[0], {})}; }

void check_names(const test::Fixture& fixture, const Network& network) {
  std::vector<std::string> parameters, buffers;
  for (const StateEntry& entry : network.state())
    (entry.kind == StateKind::parameter ? parameters : buffers).push_back(entry.name);
  CHECK(parameters == fixture.list("state_parameter_names"));
  CHECK(buffers == fixture.list("state_buffer_names"));
}

TEST_CASE("the D-DARTS supernet agrees with the published code in double precision", "[ddarts][space][parity]") {
  const test::Fixture fixture("g_ddarts_supernet.h5");
  StoredCellwise stored(fixture, "ddarts", "train_input", "");
  check_names(fixture, *stored.network);
  const Outcome outcome =
      stored.network->loss(relaxed(stored), {fixture.tensor("train_input"), fixture.tensor("train_target")}, {}, {});
  CHECK(disagreement(outcome.output, fixture.tensor("clean/train_logits_f64")) <= 1);
  CHECK(disagreement(outcome.loss, fixture.tensor("clean/train_ce_f64")) <= 1);
  test::check_state(*stored.network, StateKind::buffer, fixture, "clean/state_after_train_forward");

  Tensors leaves = parameters_of(*stored.network);
  leaves.push_back(stored.alphas[0]);
  const Tensors found = gradients(outcome.loss, leaves);
  const auto names = fixture.list("state_parameter_names");
  REQUIRE(found.size() == names.size() + 1);
  std::size_t compared = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string path = "clean/train_grad/" + names[i] + "_f64";
    if (!fixture.has(path)) continue;
    INFO(names[i]);
    CHECK(disagreement(found[i], fixture.tensor(path)) <= 1);
    ++compared;
  }
  CHECK(compared > 0);
}

TEST_CASE("the supernet of a baseline agrees with the published code in double precision", "[ddarts][space][parity]") {
  const test::Fixture fixture("g_baseline_supernet_ResNet18.h5");
  StoredCellwise stored(fixture, "dartopti", "input", "ResNet18");
  check_names(fixture, *stored.network);
  const AlphaSet& set = stored.network->alphas().front();
  CHECK(at::equal(at::tensor(set.start, at::kDouble).view(set.shape()), stored.alphas[0]));
  CHECK(set.reductions == std::vector<int>{1, 2, 3});
  const Outcome outcome =
      stored.network->loss(relaxed(stored), {fixture.tensor("input"), fixture.tensor("target")}, {}, {});
  CHECK(disagreement(outcome.output, fixture.tensor("logits_f64")) <= 1);
  CHECK(disagreement(outcome.loss, fixture.tensor("loss_f64")) <= 1);
  const auto state = test::by_name(stored.network->state());
  const Tensors found =
      gradients(outcome.loss, {stored.alphas[0], state.at("stem.0.weight"), state.at("classifier.weight")});
  CHECK(disagreement(found[0], fixture.tensor("grad_alpha_f64")) <= 1);
  CHECK(disagreement(found[1], fixture.tensor("grad_stem.0.weight_f64")) <= 1);
  CHECK(disagreement(found[2], fixture.tensor("grad_classifier.weight_f64")) <= 1);
}

}  // namespace
