#include "host/runtime/operator_instance.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstring>

#include "tests/catch.hpp"

namespace {

using namespace mixop;

/// y = w * x + b per channel, as a plugin that exports its backward would offer it: a C table, no autograd inside.
struct Scale {
  at::Tensor weight = at::randn({3}, at::kDouble).set_requires_grad(true);
  at::Tensor bias = at::randn({3}, at::kDouble).set_requires_grad(true);
  bool recorded = false;  // whether forward ran with gradients on
};

at::Tensor& tensor(MixopTensor handle) { return *reinterpret_cast<at::Tensor*>(handle); }
MixopTensor handle(at::Tensor value) { return reinterpret_cast<MixopTensor>(new at::Tensor(std::move(value))); }
Scale& self(MixopOpInstance* instance) { return *reinterpret_cast<Scale*>(instance); }
at::Tensor by_channel(const at::Tensor& values) { return values.view({1, 3, 1, 1}); }

int alive = 0;

constexpr MixopBackward kBackward{
    sizeof(MixopBackward), 0,
    [](MixopOpInstance* instance, MixopTensor input, MixopTensor, MixopTensor grad, const MixopForward*,
       MixopTensor* grad_input, MixopTensor* grad_parameters, MixopError* error) {
      return guarded(error, [&] {
        *grad_input = handle(tensor(grad) * by_channel(self(instance).weight));
        grad_parameters[0] = handle((tensor(grad) * tensor(input)).sum({0, 2, 3}));
        // The bias' slot stays NULL: zero.
      });
    }};

MixopOperator scale_table() {
  MixopOperator table{};
  table.size = sizeof table;
  table.create = [](const MixopOpSpec* spec, MixopOpInstance** instance, MixopError* error) {
    return guarded(error, [&] {
      if (spec->in != 3) throw Error(ErrorCode::usage, "this operator has 3 channels");
      *instance = reinterpret_cast<MixopOpInstance*>(new Scale());
      ++alive;
    });
  };
  table.destroy = [](MixopOpInstance* instance) {
    delete &self(instance);
    --alive;
  };
  table.forward = [](MixopOpInstance* instance, MixopTensor input, const MixopForward*, MixopTensor* output,
                     MixopError* error) {
    return guarded(error, [&] {
      self(instance).recorded = at::GradMode::is_enabled();
      *output = handle(tensor(input) * by_channel(self(instance).weight) + by_channel(self(instance).bias));
    });
  };
  table.state_count = [](MixopOpInstance*) -> std::uint32_t { return 2; };
  table.state = [](MixopOpInstance* instance, std::uint32_t index, MixopState* state, MixopError*) -> MixopStatus {
    state->kind = MIXOP_STATE_PARAMETER;
    state->name = index == 0 ? "weight" : "bias";
    state->tensor = reinterpret_cast<MixopTensor>(index == 0 ? &self(instance).weight : &self(instance).bias);
    return MIXOP_OK;
  };
  table.get_extension = [](const char* id) -> const void* {
    return std::strcmp(id, MIXOP_BACKWARD_EXTENSION) == 0 ? &kBackward : nullptr;
  };
  return table;
}

TEST_CASE("an exported backward becomes an autograd node for the input and the parameters", "[runtime][operator]") {
  const MixopOperator table = scale_table();
  const OperatorInstance operation(table, "test.scale", {3, 3, 1, false}, {at::kCPU, at::kDouble});
  const at::Tensor weight = operation.state()[0].tensor, bias = operation.state()[1].tensor;
  const at::Tensor x = at::randn({2, 3, 4, 4}, at::kDouble).set_requires_grad(true);
  const at::Tensor y = operation.forward(x, {});
  CHECK(at::allclose(y, x * by_channel(weight) + by_channel(bias)));
  const auto found = torch::autograd::grad({y.sin().sum()}, {x, weight}, {}, std::nullopt, false, true);
  const auto expected = torch::autograd::grad({(x * by_channel(weight) + by_channel(bias)).sin().sum()}, {x, weight});
  CHECK(at::allclose(found[0], expected[0], 1e-12, 1e-12));
  CHECK(at::allclose(found[1], expected[1], 1e-12, 1e-12));
}

TEST_CASE("an operator may give its input itself", "[runtime][operator]") {
  MixopOperator table = scale_table();
  static const MixopBackward pass_on = {
      sizeof(MixopBackward), 0,
      [](MixopOpInstance*, MixopTensor, MixopTensor, MixopTensor grad, const MixopForward*, MixopTensor* grad_input,
         MixopTensor*, MixopError* error) { return guarded(error, [&] { *grad_input = handle(tensor(grad)); }); }};
  table.forward = [](MixopOpInstance*, MixopTensor input, const MixopForward*, MixopTensor* output, MixopError* error) {
    return guarded(error, [&] { *output = handle(tensor(input)); });
  };
  table.get_extension = [](const char* id) -> const void* {
    return std::strcmp(id, MIXOP_BACKWARD_EXTENSION) == 0 ? &pass_on : nullptr;
  };
  if (GENERATE(true, false)) table.get_extension = nullptr;  // autograd records it
  const OperatorInstance operation(table, "test.identity", {3, 3, 1, false}, {at::kCPU, at::kDouble});
  const at::Tensor leaf = at::randn({2, 3, 4, 4}, at::kDouble).set_requires_grad(true);
  const at::Tensor x = leaf * 2;
  const at::Tensor y = operation.forward(x, {});
  CHECK(at::equal(y, x));
  CHECK(at::allclose(torch::autograd::grad({(y * x).sum()}, {leaf})[0], 8 * leaf));
}

TEST_CASE("an operator with its own backward runs its forward without recording", "[runtime][operator]") {
  const MixopOperator table = scale_table();
  const OperatorInstance operation(table, "test.scale", {3, 3, 1, false}, {at::kCPU, at::kDouble});
  const at::Tensor x = at::randn({2, 3, 4, 4}, at::kDouble);
  CHECK(operation.forward(x, {}).requires_grad());
  for (const StateEntry& entry : operation.state()) entry.tensor.set_requires_grad(false);
  CHECK_FALSE(operation.forward(x, {}).requires_grad());
  CHECK(alive == 1);
}

TEST_CASE("the host sees an operator's tensors themselves, so a change of type reaches the operator",
          "[runtime][operator]") {
  const MixopOperator table = scale_table();
  const OperatorInstance operation(table, "test.scale", {3, 3, 1, false});
  at::Tensor weight = operation.state()[0].tensor, bias = operation.state()[1].tensor;
  weight.set_data(weight.detach().to(at::kFloat));
  bias.set_data(bias.detach().to(at::kFloat));
  CHECK(operation.forward(at::randn({1, 3, 2, 2}), {}).scalar_type() == at::kFloat);
}

TEST_CASE("instances are destroyed by their plugin, after the graphs that still need them", "[runtime][operator]") {
  const MixopOperator table = scale_table();
  const int before = alive;
  at::Tensor y;
  {
    const OperatorInstance operation(table, "test.scale", {3, 3, 1, false}, {at::kCPU, at::kDouble});
    y = operation.forward(at::randn({1, 3, 2, 2}, at::kDouble), {});
  }
  CHECK(alive == before + 1);
  y.sum().backward();
  y.reset();
  CHECK(alive == before);
}

TEST_CASE("what an operator reports is thrown with its name", "[runtime][operator][misuse]") {
  MixopOperator table = scale_table();
  CHECK_THROWS_WITH(OperatorInstance(table, "test.scale", {4, 4, 1, false}),
                    "operator 'test.scale': create: this operator has 3 channels");
  table.forward = [](MixopOpInstance*, MixopTensor, const MixopForward*, MixopTensor*, MixopError*) -> MixopStatus {
    return MIXOP_OK;
  };
  CHECK_THROWS_WITH(OperatorInstance(table, "test.scale", {3, 3, 1, false}).forward(at::zeros({1, 3, 1, 1}), {}),
                    "operator 'test.scale': forward in training: succeeded but gave no tensor");
  table.state = [](MixopOpInstance*, std::uint32_t, MixopState*, MixopError*) -> MixopStatus { return MIXOP_OK; };
  CHECK_THROWS_WITH(OperatorInstance(table, "test.scale", {3, 3, 1, false}),
                    "operator 'test.scale': state 0 lacks its name or its tensor");
  table.create = [](const MixopOpSpec*, MixopOpInstance**, MixopError*) -> MixopStatus { return MIXOP_OK; };
  CHECK_THROWS_WITH(OperatorInstance(table, "test.scale", {3, 3, 1, false}),
                    "operator 'test.scale': create succeeded but made nothing");
}

}  // namespace
