#include "host/runtime/operator_instance.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <utility>

#include "host/plugins/part_error.hpp"

namespace mixop {
namespace {

using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

MixopTensor borrow(const at::Tensor& tensor) { return reinterpret_cast<MixopTensor>(const_cast<at::Tensor*>(&tensor)); }

/// Takes over a handle that a plugin passed out.
at::Tensor adopt(MixopTensor handle) {
  const std::unique_ptr<at::Tensor> owned(reinterpret_cast<at::Tensor*>(handle));
  return owned ? std::move(*owned) : at::Tensor();
}

MixopForward to_abi(const Forward& how) {
  return {sizeof(MixopForward), how.training ? 1 : 0, how.update_statistics ? 1 : 0, 0, how.key};
}

std::string called(const std::string& name) { return "operator '" + name + "'"; }

/// Calls a function of an operator's table; what it reports names the operator and what was asked of it.
template <class Call>
void ask(const std::string& name, const char* what, Call&& call) {
  try {
    checked(called(name) + ": " + what, call);
  } catch (const Error& error) {
    throw PartError(error.code(), error.what());
  }
}

at::Tensor call_forward(const MixopOperator& table, MixopOpInstance* instance, const std::string& name,
                        const at::Tensor& input, const Forward& how) {
  const MixopForward abi = to_abi(how);
  MixopTensor output = nullptr;
  ask(name, "forward", [&](MixopError* error) { return table.forward(instance, borrow(input), &abi, &output, error); });
  at::Tensor result = adopt(output);
  if (!result.defined()) throw Error(ErrorCode::plugin, called(name) + ": forward succeeded but gave no tensor");
  return result;
}

/// The autograd node of an operator that exports its backward. Inputs: the operator's input, then its parameters.
class ExportedBackward final : public torch::autograd::Node {
 public:
  const MixopBackward* table = nullptr;
  std::shared_ptr<MixopOpInstance> instance;
  std::string name;
  Forward how;
  SavedVariable input, output;
  std::size_t parameters = 0;

  variable_list apply(variable_list&& gradients) override {
    variable_list result(1 + parameters);
    if (!gradients[0].defined()) return result;
    const at::NoGradGuard no_grad;
    const at::Tensor x = input.unpack(), y = output.unpack(shared_from_this());
    const MixopForward abi = to_abi(how);
    MixopTensor grad_input = nullptr;
    std::vector<MixopTensor> grad_parameters(parameters, nullptr);
    ask(name, "backward", [&](MixopError* error) {
      return table->backward(instance.get(), borrow(x), borrow(y), borrow(gradients[0]), &abi, &grad_input,
                             grad_parameters.data(), error);
    });
    result[0] = adopt(grad_input);
    for (std::size_t i = 0; i < parameters; ++i) result[1 + i] = adopt(grad_parameters[i]);
    return result;
  }
  void release_variables() override {
    input.reset_data();
    output.reset_data();
  }
};

std::vector<StateEntry> collect_state(const MixopOperator& table, MixopOpInstance* instance, const std::string& name) {
  std::vector<StateEntry> entries;
  const std::uint32_t count = table.state_count(instance);
  for (std::uint32_t i = 0; i < count; ++i) {
    MixopState state{};
    state.size = sizeof state;
    ask(name, "state", [&](MixopError* error) { return table.state(instance, i, &state, error); });
    if (state.name == nullptr || state.tensor == nullptr)
      throw Error(ErrorCode::plugin, called(name) + ": state " + std::to_string(i) + " lacks its name or its tensor");
    entries.push_back({state.name, *reinterpret_cast<at::Tensor*>(state.tensor), static_cast<StateKind>(state.kind)});
  }
  return entries;
}

}  // namespace

OperatorInstance::OperatorInstance(const MixopOperator& table, std::string name, const OpSpec& spec,
                                   const Target& target)
    : name_(std::move(name)),
      table_(&table),
      backward_(extension_of<MixopBackward>(table, MIXOP_BACKWARD_EXTENSION)),
      structure_(structure_of(table, name_, spec)) {
  if (!mixop::has_own_code(table)) {
    module_ = Module(structure_.value(), target);
    state_ = module_.state();
    return;
  }
  const MixopOpSpec abi{sizeof(MixopOpSpec), spec.affine ? 1 : 0, spec.in, spec.out, spec.stride};
  MixopOpInstance* made = nullptr;
  ask(name_, "create", [&](MixopError* error) { return table.create(&abi, &made, error); });
  if (made == nullptr) throw Error(ErrorCode::plugin, called(name_) + ": create succeeded but made nothing");
  instance_ = std::shared_ptr<MixopOpInstance>(made, table.destroy);
  state_ = collect_state(table, made, name_);
  convert(state_, target);
}

at::Tensor OperatorInstance::forward(const at::Tensor& input, const Forward& how) const {
  if (!has_own_code()) return module_.forward(input, how);
  if (backward_ == nullptr) return call_forward(*table_, instance_.get(), name_, input, how);

  variable_list inputs{input};
  for (const StateEntry& entry : state_)
    if (entry.kind == StateKind::parameter) inputs.push_back(entry.tensor);
  at::Tensor output;
  {
    const at::NoGradGuard no_grad;
    output = call_forward(*table_, instance_.get(), name_, input, how);
  }
  if (!torch::autograd::compute_requires_grad(inputs)) return output;
  auto node = std::shared_ptr<ExportedBackward>(new ExportedBackward(), torch::autograd::deleteNode);
  node->set_next_edges(torch::autograd::collect_next_edges(inputs));
  node->table = backward_;
  node->instance = instance_;
  node->name = name_;
  node->how = how;
  node->parameters = inputs.size() - 1;
  node->input = SavedVariable(input, /*is_output=*/false);
  torch::autograd::set_history(output, node);
  node->output = SavedVariable(output, /*is_output=*/true);
  return output;
}

void convert(const std::vector<StateEntry>& state, const Target& target) {
  for (const StateEntry& entry : state) {
    at::Tensor shared = entry.tensor;
    const at::Tensor values = shared.detach();
    if (shared.is_floating_point() ? shared.device() == target.device && shared.scalar_type() == target.type
                                   : shared.device() == target.device)
      continue;
    shared.set_data(shared.is_floating_point() ? values.to(target.device, target.type) : values.to(target.device));
  }
}

}  // namespace mixop
