#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <optional>

#include "mixop/chain.hpp"
#include "mixop/supernet/cells.hpp"
#include "tests/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;
using test::disagreement;

/// A primitive of the stored file: something that runs, and its state.
struct Primitive {
  std::function<at::Tensor(const at::Tensor&, const Forward&)> forward;
  std::vector<StateEntry> state;
};

Primitive from_chain(Chain chain) {
  auto shared = std::make_shared<Chain>(std::move(chain));
  return {[shared](const at::Tensor& x, const Forward& how) { return shared->forward(x, how); }, shared->state()};
}

Primitive make_primitive(const JsonValue& config, std::int64_t channels) {
  const std::string name = config.find("op")->text;
  const bool affine = config.find("affine") != nullptr && config.find("affine")->boolean;
  const auto number = [&](const char* key) { return config.find(key)->integer; };
  if (name == "FactorizedReduce") return from_chain(relu_reduce_norm("", number("C_in"), number("C_out"), affine));
  if (name == "ReLUConvBN")
    return from_chain(relu_conv_norm("",
                                     {.in = number("C_in"),
                                      .out = number("C_out"),
                                      .kernel = {number("k"), number("k")},
                                      .padding = {number("k") / 2, number("k") / 2}},
                                     affine));

  const OperatorInstance operation(test::plugins().op(name), name, {channels, number("stride"), affine});
  if (config.find("bn") == nullptr)
    return {[operation](const at::Tensor& x, const Forward& how) { return operation.forward(x, how); },
            operation.state()};
  auto candidate = std::make_shared<supernet::Candidate>(RegistryCatalog(test::plugins()), name,
                                                         OpSpec{channels, number("stride"), /*affine=*/false});
  return {[candidate](const at::Tensor& x, const Forward& how) { return candidate->forward(x, how); },
          candidate->state()};
}

std::vector<std::string> names_of(const std::vector<StateEntry>& state, StateKind kind) {
  std::vector<std::string> names;
  for (const StateEntry& entry : state)
    if (entry.kind == kind) names.push_back(entry.name);
  return names;
}

void load_state(const test::Fixture& fixture, const std::string& group, const std::vector<StateEntry>& state) {
  for (const StateEntry& entry : state) {
    at::Tensor shared = entry.tensor;
    if (shared.is_floating_point()) shared.set_data(fixture.tensor(group + "/state/" + entry.name));
  }
}

void check_gradients(const test::Fixture& fixture, const std::string& group, const at::Tensor& x, const at::Tensor& y,
                     const std::vector<StateEntry>& state) {
  std::vector<at::Tensor> leaves{x};
  const auto parameters = names_of(state, StateKind::parameter);
  for (const StateEntry& entry : state)
    if (entry.kind == StateKind::parameter) leaves.push_back(entry.tensor);
  const auto gradients = torch::autograd::grad({y}, leaves, {fixture.tensor(group + "/grad_output")});
  CHECK(disagreement(gradients[0], fixture.tensor(group + "/grad_input_f64")) <= 1);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    INFO(parameters[i]);
    CHECK(disagreement(gradients[i + 1], fixture.tensor(group + "/grad/" + parameters[i] + "_f64")) <= 1);
  }
}

void check_primitive(const test::Fixture& fixture, const std::string& group) {
  INFO(group);
  const at::Tensor x = fixture.tensor(group + "/input").set_requires_grad(true);
  const Primitive primitive = make_primitive(fixture.config(group), x.size(1));
  if (!primitive.state.empty()) {
    CHECK(names_of(primitive.state, StateKind::parameter) == fixture.list(group + "/state_parameter_names"));
    CHECK(names_of(primitive.state, StateKind::buffer) == fixture.list(group + "/state_buffer_names"));
  }
  load_state(fixture, group, primitive.state);

  const at::Tensor y = primitive.forward(x, {});
  CHECK(disagreement(y, fixture.tensor(group + "/output_f64")) <= 1);
  check_gradients(fixture, group, x, y, primitive.state);
  for (const StateEntry& entry : primitive.state) {
    if (entry.kind != StateKind::buffer) continue;
    const bool real = entry.tensor.is_floating_point();
    INFO(entry.name);
    CHECK(disagreement(entry.tensor, fixture.tensor(group + "/state_after/" + entry.name + (real ? "_f64" : ""))) <= 1);
  }
  const at::Tensor evaluated = primitive.forward(x, {.training = false, .update_statistics = false, .key = 0});
  CHECK(disagreement(evaluated, fixture.tensor(group + "/eval_output_f64")) <= 1);
}

TEST_CASE("every DARTS operation agrees with the published code in double precision", "[ops][parity]") {
  const test::Fixture fixture("a_primitives_darts.h5");
  const std::vector<std::string> groups = fixture.names("/");
  REQUIRE(groups.size() >= 10);
  for (const std::string& group : groups) check_primitive(fixture, group);
}

TEST_CASE("the DARTS operations tell their structure and a cost", "[ops]") {
  for (const char* name : {"none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5",
                           "sep_conv_7x7", "dil_conv_3x3", "dil_conv_5x5", "conv_7x1_1x7"}) {
    INFO(name);
    const OperatorInstance operation(test::plugins().op(name), name, {16, 1, false});
    CHECK_FALSE(operation.structure().empty());
    CHECK(operation.cost({16, 32, 32}).uncounted.empty());
  }
  const OperatorInstance separable(test::plugins().op("sep_conv_3x3"), "sep_conv_3x3", {16, 2, false});
  CHECK(separable.cost({16, 32, 32}).multiply_adds == 2 * 16 * 16 * (16 * 9 + 16 * 16));
  CHECK(separable.cost({16, 32, 32}).parameters == 2 * (16 * 9 + 16 * 16));
}

TEST_CASE("odd sizes are halved upwards by every operation of stride 2", "[ops]") {
  for (const std::string name :
       {"none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_5x5", "dil_conv_3x3", "conv_7x1_1x7"}) {
    INFO(name);
    const OperatorInstance operation(test::plugins().op(name), name, {4, 2, false});
    CHECK(operation.forward(at::randn({2, 4, 7, 9}), {}).sizes() == at::IntArrayRef({2, 4, 4, 5}));
  }
}

}  // namespace
