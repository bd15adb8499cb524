#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/runtime/candidates.hpp"
#include "tests/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/plugins.hpp"

namespace mixop::test {

/// A primitive of the stored file: something that runs, and its state.
struct Primitive {
  std::function<at::Tensor(const at::Tensor&, const Forward&)> forward;
  std::vector<StateEntry> state;
};

inline Primitive from_structure(const Structure& structure) {
  auto shared = std::make_shared<Module>(structure);
  return {[shared](const at::Tensor& x, const Forward& how) { return shared->forward(x, how); }, shared->state()};
}

inline Primitive make_primitive(const JsonValue& config, std::int64_t channels) {
  const std::string name = config.find("op")->text;
  const bool affine = config.find("affine") != nullptr && config.find("affine")->boolean;
  const auto number = [&](const char* key) { return config.find(key)->integer; };
  if (name == "FactorizedReduce") return from_structure(relu_reduce_norm("", number("C_in"), number("C_out"), affine));
  if (name == "ReLUConvBN")
    return from_structure(relu_conv_norm("",
                                     {.in = number("C_in"),
                                      .out = number("C_out"),
                                      .kernel = {number("k"), number("k")},
                                      .padding = {number("k") / 2, number("k") / 2}},
                                     affine));

  const OperatorInstance operation(plugins().op(name), name, {channels, channels, number("stride"), affine});
  if (config.find("bn") == nullptr)
    return {[operation](const at::Tensor& x, const Forward& how) { return operation.forward(x, how); },
            operation.state()};
  auto candidate = std::make_shared<Candidate>(RegistryCatalog(plugins()), name,
                                               OpSpec{channels, channels, number("stride"), /*affine=*/false},
                                               /*pools_normalised=*/true, Target{}, "edge");
  return {[candidate](const at::Tensor& x, const Forward& how) { return candidate->forward(x, how); },
          candidate->state()};
}

inline std::vector<std::string> names_of(const std::vector<StateEntry>& state, StateKind kind) {
  std::vector<std::string> names;
  for (const StateEntry& entry : state)
    if (entry.kind == kind) names.push_back(entry.name);
  return names;
}

inline void load_state(const Fixture& fixture, const std::string& group, const std::vector<StateEntry>& state) {
  for (const StateEntry& entry : state) {
    at::Tensor shared = entry.tensor;
    if (shared.is_floating_point()) shared.set_data(fixture.tensor(group + "/state/" + entry.name));
  }
}

inline void check_gradients(const Fixture& fixture, const std::string& group, const at::Tensor& x, const at::Tensor& y,
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

/// Compares forward, gradients, statistics and evaluation with the group's.
inline void check_primitive(const Fixture& fixture, const std::string& group) {
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
    const std::string after = group + "/state_after/" + entry.name + (real ? "_f64" : "");
    if (!real && !fixture.has(after)) continue;  // counts are not stored everywhere
    INFO(entry.name);
    CHECK(disagreement(entry.tensor, fixture.tensor(after)) <= 1);
  }
  const at::Tensor evaluated = primitive.forward(x, {.training = false, .update_statistics = false, .key = 0});
  CHECK(disagreement(evaluated, fixture.tensor(group + "/eval_output_f64")) <= 1);
}

/// Compares every group of the file, of which there must be some; returns how many there are.
inline std::size_t check_primitives(const std::string& file) {
  const Fixture fixture(path_of_optional(file));
  const std::vector<std::string> groups = fixture.names("/");
  for (const std::string& group : groups) check_primitive(fixture, group);
  return groups.size();
}

}  // namespace mixop::test
