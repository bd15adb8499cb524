#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <utility>
#include <vector>

#include "mixop/operator.hpp"

namespace mixop {

/// An operator written as an ordinary torch::nn::Module with `at::Tensor forward(const at::Tensor&)`, or
/// `forward(const at::Tensor&, const Forward&)` where it draws random numbers, constructible from `const OpSpec&`. Its
/// state is the module's own, in registration order, a tensor that is registered twice once. A parameter that does not
/// require gradients stays as it is: a buffer. The module may have the members that Operator names.
template <class Module>
class ModuleOperator final : public Operator {
 public:
  explicit ModuleOperator(const OpSpec& spec) : module_(std::make_shared<Module>(spec)) { collect(*module_, ""); }

  at::Tensor forward(const at::Tensor& input, const Forward& how) override {
    if (module_->is_training() != how.training) module_->train(how.training);
    if (!how.training || how.update_statistics) return run(input, how);
    const BufferCopies copies(state_);
    return run(input, how);
  }
  OperatorGradients backward(const at::Tensor& input, const at::Tensor& output, const at::Tensor& gradient,
                             const Forward& how)
    requires requires(Module& module) { module.backward(input, output, gradient, how); }
  {
    return module_->backward(input, output, gradient, how);
  }
  const std::vector<StateEntry>& state() override { return state_; }

 private:
  // Lets a pass work on copies of the buffers. Writing the old values back would invalidate what autograd has saved.
  class BufferCopies {
   public:
    explicit BufferCopies(std::vector<StateEntry>& state) {
      for (StateEntry& entry : state) {
        if (entry.kind != StateKind::buffer) continue;
        buffers_.emplace_back(entry.tensor, entry.tensor.detach());
        entry.tensor.set_data(entry.tensor.detach().clone());
      }
    }
    ~BufferCopies() {
      for (auto& [buffer, original] : buffers_) buffer.set_data(original);
    }
    BufferCopies(const BufferCopies&) = delete;
    BufferCopies& operator=(const BufferCopies&) = delete;

   private:
    std::vector<std::pair<at::Tensor, at::Tensor>> buffers_;
  };

  at::Tensor run(const at::Tensor& input, const Forward& how) {
    if constexpr (requires { module_->forward(input, how); })
      return module_->forward(input, how);
    else
      return module_->forward(input);
  }

  void add(std::string name, const at::Tensor& tensor, StateKind kind) {
    for (const StateEntry& known : state_)
      if (known.tensor.is_same(tensor)) return;
    state_.push_back({std::move(name), tensor, kind});
  }
  void collect(torch::nn::Module& module, const std::string& prefix) {
    for (auto& item : module.named_parameters(/*recurse=*/false))
      add(prefix + item.key(), item.value(), item.value().requires_grad() ? StateKind::parameter : StateKind::buffer);
    for (auto& item : module.named_buffers(/*recurse=*/false)) add(prefix + item.key(), item.value(), StateKind::buffer);
    for (auto& child : module.named_children()) collect(*child.value(), prefix + child.key() + ".");
  }

  std::shared_ptr<Module> module_;
  std::vector<StateEntry> state_;
};

/// The component of a torch::nn::Module operator; `summary` is what lists say of it, one sentence.
template <class Module, Domain domain = Domain::image>
MixopComponent module_operator(const char* name, const char* summary = nullptr) {
  return native_operator<ModuleOperator<Module>, domain, Module>(name, summary);
}

}  // namespace mixop
