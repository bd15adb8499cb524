#include <ATen/ATen.h>

#include "mixop/space.hpp"
#include "tests/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/search_fixture.hpp"

namespace {

using namespace mixop;
using test::disagreement;

TEST_CASE("the DARTS supernet agrees with the published code in double precision", "[space][parity]") {
  const test::Fixture fixture("b_supernet.h5");
  test::StoredSupernet stored(fixture);
  std::vector<at::Tensor> trace;
  Pass pass;
  pass.trace = &trace;

  const std::vector<Relaxed> edges = stored.relaxed();
  const Batch batch{fixture.tensor("input"), fixture.tensor("target")};
  const Outcome outcome = stored.network->loss(edges, batch, {}, pass);
  CHECK(disagreement(outcome.output, fixture.tensor("logits_f64")) <= 1);
  CHECK(disagreement(outcome.loss, fixture.tensor("loss_f64")) <= 1);
  CHECK(disagreement(trace.at(0), fixture.tensor("stem_out"), 1e-5) <= 1);
  const std::size_t cells = fixture.names("cell_out").size();
  REQUIRE(trace.size() == 1 + cells + 1);  // stem, cells, classifier
  for (std::size_t i = 1; i <= cells; ++i)
    CHECK(disagreement(trace[i], fixture.tensor("cell_out/" + std::to_string(i - 1)), 1e-5) <= 1);

  std::vector<at::Tensor> leaves = parameters_of(*stored.network);
  leaves.insert(leaves.end(), stored.alphas.begin(), stored.alphas.end());
  const std::vector<at::Tensor> found = gradients(outcome.loss, leaves);
  const auto names = fixture.list("state_parameter_names");
  REQUIRE(found.size() == names.size() + 2);
  for (std::size_t i = 0; i < names.size(); ++i) {
    INFO(names[i]);
    CHECK(disagreement(found[i], fixture.tensor("grad/" + names[i] + "_f64")) <= 1);
  }
  CHECK(disagreement(found[names.size()], fixture.tensor("grad_alpha/normal_f64")) <= 1);
  CHECK(disagreement(found[names.size() + 1], fixture.tensor("grad_alpha/reduce_f64")) <= 1);

  stored.check_statistics(fixture, "state_after");
  Pass evaluation;
  evaluation.training = evaluation.update_statistics = false;
  CHECK(disagreement(stored.network->loss(edges, batch, {}, evaluation).output,
                     fixture.tensor("logits_eval_after_one_train_forward_f64")) <= 1);
}

TEST_CASE("a supernet's state has the published names in the published order", "[space][parity]") {
  const test::Fixture fixture("b_supernet.h5");
  const test::StoredSupernet stored(fixture);
  std::vector<std::string> parameters, buffers;
  for (const StateEntry& entry : stored.network->state())
    (entry.kind == StateKind::parameter ? parameters : buffers).push_back(entry.name);
  CHECK(parameters == fixture.list("state_parameter_names"));
  CHECK(buffers == fixture.list("state_buffer_names"));
}

TEST_CASE("a pass that updates no statistics leaves every buffer alone", "[space]") {
  const test::Fixture fixture("c_small_steps.h5");
  test::StoredSupernet stored(fixture);
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : test::by_name(stored.network->state())) before[name] = tensor.detach().clone();
  Pass pass;
  pass.update_statistics = false;
  (void)stored.network->loss(stored.relaxed(), stored.batch(fixture, "train", 0), {}, pass);
  for (const auto& [name, tensor] : test::by_name(stored.network->state())) CHECK(at::equal(tensor, before[name]));
}

TEST_CASE("the auxiliary head adds to the training loss alone, and drop-path follows the key", "[space]") {
  SpaceConfig config;
  config.channels = 4;
  config.layers = 3;
  config.auxiliary = true;
  at::manual_seed(3);
  const auto network = compile(test::darts_space()->network(config, test::darts_space()->genotypes()[3].genotype),
                               RegistryCatalog(test::plugins()));
  const Batch batch{at::randn({4, 3, 32, 32}), at::tensor({1, 2, 3, 4}, at::kLong)};
  Pass pass;
  pass.update_statistics = false;
  const auto with = network->loss({}, batch, {}, pass);
  const double main_loss = at::cross_entropy_loss(with.output, batch.target).item<double>();
  CHECK(with.loss.item<double>() > main_loss + 0.1);

  pass.drop_path = 0.5;
  pass.key = 7;
  const at::Tensor first = network->loss({}, batch, {}, pass).output, again = network->loss({}, batch, {}, pass).output;
  pass.key = 8;
  const at::Tensor other = network->loss({}, batch, {}, pass).output;
  CHECK(at::equal(first, again));
  CHECK_FALSE(at::equal(first, other));
}

}  // namespace
