#include <ATen/ATen.h>

#include "mixop/gradients.hpp"
#include "mixop/strategy.hpp"
#include "tests/support/recurrent_fixture.hpp"

namespace {

using namespace mixop;
using Catch::Contains;
using test::disagreement;

void check_gradients(const test::Fixture& fixture, const test::StoredLanguageModel& model, const at::Tensor& loss,
                     const std::string& group) {
  const auto named = model.leaves();
  std::vector<at::Tensor> leaves;
  for (const auto& [name, tensor] : named) leaves.push_back(tensor);
  const auto found = gradients(loss, leaves);
  int compared = 0;
  for (std::size_t i = 0; i < named.size(); ++i) {
    INFO(group + "/" + named[i].first);
    CHECK(disagreement(found[i], fixture.tensor(group + "/" + named[i].first + "_f64")) <= 1);
    ++compared;
  }
  CHECK(compared > 3);
}

Outcome run(test::StoredLanguageModel& model, const test::Fixture& fixture, const Pass& pass) {
  return model.network->loss(model.relaxed(), test::StoredLanguageModel::batch(fixture),
                             {fixture.tensor("hidden").squeeze(0)}, pass);
}

void check_outputs(const test::Fixture& fixture, const Outcome& outcome, const std::string& prefix) {
  CHECK(disagreement(outcome.next.at(0), fixture.tensor(prefix + "hidden_out_f64").squeeze(0)) <= 1);
  CHECK(disagreement(outcome.output.log_softmax(-1), fixture.tensor(prefix + "log_prob_f64")) <= 1);
}

TEST_CASE("the recurrent search network agrees with the published code in double precision", "[rnn][parity]") {
  const test::Fixture fixture("e_rnn_search.h5");
  test::StoredLanguageModel model(fixture);
  Pass pass;
  std::vector<at::Tensor> trace;
  pass.trace = &trace;
  pass.update_statistics = false;
  const Outcome plain = run(model, fixture, pass);
  CHECK(disagreement(plain.loss, fixture.tensor("loss_nll_f64")) <= 1);
  CHECK(disagreement(trace.at(0), fixture.tensor("raw_output_f64")) <= 1);
  check_outputs(fixture, plain, "");
  check_gradients(fixture, model, plain.loss, "grads_nll");

  pass.update_statistics = true;
  pass.penalties = true;
  const Outcome penalised = run(model, fixture, pass);
  CHECK(disagreement(penalised.loss, fixture.tensor("loss_with_tar_f64")) <= 1);
  check_gradients(fixture, model, penalised.loss, "grads");
  for (const StateEntry& entry : model.network->state()) {
    if (entry.kind != StateKind::buffer) continue;
    INFO(entry.name);
    const std::string stored = "state_after/" + entry.name + (entry.tensor.is_floating_point() ? "_f64" : "");
    CHECK(disagreement(entry.tensor, fixture.tensor(stored)) <= 1);
  }

  pass = {};
  pass.trace = &trace;
  pass.training = pass.update_statistics = false;
  const Outcome evaluated = run(model, fixture, pass);
  CHECK(disagreement(evaluated.loss, fixture.tensor("eval_loss_f64")) <= 1);
  check_outputs(fixture, evaluated, "eval_");
}

TEST_CASE("the recurrent search network is evaluated with the statistics of the columns at hand", "[rnn]") {
  const std::map<std::string, std::string> no_dropout{
      {"dropout", "0"}, {"dropouth", "0"}, {"dropoutx", "0"}, {"dropouti", "0"}, {"dropoute", "0"}};
  SpaceConfig spec;
  spec.width = 6;
  spec.classes = 9;
  spec.nodes = 3;
  spec.operations = {"none", "tanh", "relu"};
  const RegistryCatalog operators(test::plugins());
  const at::Tensor words = at::randint(9, {5, 4}, at::kLong);
  const auto losses = [&](const std::string& running_statistics) {
    auto options = no_dropout;
    options["running_statistics"] = running_statistics;
    const auto space = make_part<SearchSpace>(test::plugins(), "darts_rnn", {{"darts_rnn", options}});
    const auto network = compile(space->search(spec), operators);
    const std::vector<Relaxed> edges{{at::full({6, 3}, 1.0 / 3)}};
    const auto loss = [&](bool training) {
      Pass pass;
      pass.training = training;
      pass.update_statistics = false;
      return network->loss(edges, {words, words}, {}, pass).loss.item<double>();
    };
    std::vector<at::Tensor> before;
    for (const StateEntry& entry : network->state()) before.push_back(entry.tensor.detach().clone());
    const std::pair<double, double> found{loss(true), loss(false)};
    for (std::size_t i = 0; i < before.size(); ++i) CHECK(before[i].equal(network->state()[i].tensor));
    return found;
  };
  const auto [trained, evaluated] = losses("false");
  CHECK(evaluated == trained);
  const auto [published, with_running] = losses("true");
  CHECK(with_running != published);
}

TEST_CASE("the recurrent networks of published genotypes agree in double precision", "[rnn][parity]") {
  for (const char* name : {"DARTS_V1", "DARTS_V2", "ENAS"}) {
    INFO(name);
    const test::Fixture fixture(std::string("e_rnn_eval_") + name + ".h5");
    test::StoredLanguageModel model(fixture);
    Pass pass;
    std::vector<at::Tensor> trace;
    pass.trace = &trace;
    const Outcome outcome = run(model, fixture, pass);
    CHECK(disagreement(outcome.loss, fixture.tensor("loss_f64")) <= 1);
    CHECK(disagreement(trace.at(0), fixture.tensor("raw_output_f64")) <= 1);
    check_outputs(fixture, outcome, "");
    check_gradients(fixture, model, outcome.loss, "grad");
    pass.training = pass.update_statistics = false;
    check_outputs(fixture, run(model, fixture, pass), "eval_");
    const JsonValue& stored = *model.config.find("genotype_value");
    bool known = false;
    for (const NamedGenotype& published : model.space->genotypes())
      if (published.name == name) known = published.genotype == test::StoredLanguageModel::genotype_of(stored);
    CHECK(known);
  }
}

}  // namespace
