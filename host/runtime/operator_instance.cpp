#include "host/runtime/operator_instance.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <utility>

#include "host/plugins/part_error.hpp"
#include "host/runtime/autograd_node.hpp"

namespace mixop {
namespace {

using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

/// The autograd node of an operator with code of its own; its inputs: the operator's input, then its parameters. What goes
/// wrong on the way back is thereby known to be of this operator. Differentiable once.
class OperatorNode final : public torch::autograd::Node {
 public:
  std::shared_ptr<const OwnCode> code;
  Forward how;
  std::vector<SavedVariable> inputs;
  SavedVariable output;                 // where the operator exports its backward
  at::Tensor recorded_input, recorded;  // otherwise: a leaf, and what autograd recorded of it

  variable_list apply(variable_list&& gradients) override {
    if (!gradients[0].defined()) return variable_list(inputs.size());
    variable_list of;
    for (const SavedVariable& input : inputs) of.push_back(input.unpack());
    variable_list found = recorded.defined() ? of_record(of, gradients[0]) : of_export(of, gradients[0]);
    code->require_gradients(found, of, gradients[0]);
    return found;
  }
  void release_variables() override {
    inputs.clear();
    output.reset_data();
    recorded_input.reset();
    recorded.reset();
  }

 private:
  variable_list of_export(const variable_list& of, const at::Tensor& gradient) {
    const at::NoGradGuard no_grad;
    return code->backward(of[0], output.unpack(getptr()), gradient, how);
  }
  variable_list of_record(variable_list of, const at::Tensor& gradient) {
    of[0] = recorded_input;
    variable_list leaves;
    for (std::size_t i = 0; i < of.size(); ++i)
      if (task_should_compute_output(i)) leaves.push_back(of[i]);
    if (leaves.empty()) return variable_list(of.size());
    const variable_list found = naming(code->called(), "backward", [&] {
      return torch::autograd::grad({recorded}, leaves, {gradient}, /*retain_graph=*/true, /*create_graph=*/false,
                                   /*allow_unused=*/true);
    });
    variable_list result(of.size());
    for (std::size_t i = 0, next = 0; i < of.size(); ++i)
      if (task_should_compute_output(i)) result[i] = found[next++];
    return result;
  }
};

}  // namespace

OperatorInstance::OperatorInstance(const MixopOperator& table, std::string name, const OpSpec& spec,
                                   const Target& target, const std::string& place)
    : name_(std::move(name)), structure_(structure_of(table, name_, spec)) {
  if (!mixop::has_own_code(table)) {
    module_ = Module(structure_.value(), target);
    state_ = module_.state();
    return;
  }
  const std::string called = "operator '" + name_ + "'" + (place.empty() ? "" : " (" + place + ")");
  code_ = std::make_shared<OwnCode>(table, name_, called, spec);
  state_ = code_->state();
  convert(state_, target);
}

at::Tensor OperatorInstance::forward(const at::Tensor& input, const Forward& how) const {
  if (!has_own_code()) return module_.forward(input, how);
  variable_list inputs{input};
  for (const StateEntry& entry : state_)
    if (entry.kind == StateKind::parameter) inputs.push_back(entry.tensor);
  if (!torch::autograd::compute_requires_grad(inputs)) return code_->forward(input, how);

  auto node = make_autograd_node<OperatorNode>();
  node->set_next_edges(torch::autograd::collect_next_edges(inputs));
  node->code = code_;
  node->how = how;
  for (const at::Tensor& one : inputs) node->inputs.emplace_back(one, /*is_output=*/false);
  at::Tensor output;
  if (code_->has_backward()) {
    const at::NoGradGuard no_grad;
    output = code_->forward(input, how).detach();  // it may be the input itself, or a view of it
  } else {
    node->recorded_input = input.detach().set_requires_grad(input.requires_grad());
    node->recorded = code_->forward(node->recorded_input, how);
    output = node->recorded.detach();
    // A constant has no gradient to ask for.
    if (!node->recorded.requires_grad()) return output;
  }
  torch::autograd::set_history(output, node);
  if (code_->has_backward()) node->output = SavedVariable(output, /*is_output=*/true);
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
