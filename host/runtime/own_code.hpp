#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/graph/operators.hpp"
#include "mixop/abi/ext/backward.h"
#include "mixop/operator.hpp"

namespace mixop {

/// An instance of an operator with code of its own, which is held to the operator's contract at every call: what it gives
/// has the shape, type and device that follow from what it got, its inputs and parameters stay as they are, its state stays
/// the same tensors of the same sizes, and numbers that are not finite do not come of finite ones (looked at on CPUs alone). All functions throw
/// PartError, the last case NotFinite, which begins with `called`.
class OwnCode {
 public:
  /// `called` is how messages name it.
  OwnCode(const MixopOperator& table, const std::string& name, std::string called, const OpSpec& spec);

  const std::vector<StateEntry>& state() const { return state_; }
  const std::string& called() const { return called_; }

  at::Tensor forward(const at::Tensor& input, const Forward& how) const;

  /// Whether it exports a backward pass; otherwise autograd records what forward() does.
  bool has_backward() const { return backward_ != nullptr; }
  /// The gradients in the input and in the parameters, in the order of the state. Undefined: zero.
  std::vector<at::Tensor> backward(const at::Tensor& input, const at::Tensor& output, const at::Tensor& gradient,
                                   const Forward& how) const;
  /// Judges gradients, whoever computed them: those that are defined.
  void require_gradients(const std::vector<at::Tensor>& found, const std::vector<at::Tensor>& of,
                         const at::Tensor& gradient) const;

 private:
  std::vector<StateEntry> collect_state() const;
  void require_output(const at::Tensor& output, const at::Tensor& input, const Forward& how) const;
  void require_same_state(const char* asked) const;

  const MixopOperator* table_;
  const MixopBackward* backward_;
  /// Whether LibTorch records the way from its parameters to its result.
  bool records_parameters(const Forward& how) const;

  std::string called_;
  OpSpec spec_;
  std::shared_ptr<MixopOpInstance> instance_;
  std::vector<StateEntry> state_;
};

}  // namespace mixop
