#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "mixop/abi/ext/backward.h"
#include "mixop/operator_parts.hpp"

namespace mixop {

/// A named parameter or buffer. Copies of an entry share the tensor.
struct StateEntry {
  std::string name;
  at::Tensor tensor;
  StateKind kind = StateKind::parameter;
};

/// What a backward pass of an operator's own gives. Undefined: zero.
struct OperatorGradients {
  at::Tensor input;                    ///< like the input
  std::vector<at::Tensor> parameters;  ///< like the parameters, in the order of the state; may end early
};

/// What the author of an operator with code of its own derives from; constructible from `const OpSpec&`, which throws
/// an Error of code unsupported where it cannot serve the spec. Most operators are shorter as a Structure
/// (mixop/structure_operator.hpp) or as a torch::nn::Module (mixop/module_operator.hpp).
///
/// Beside it a class may have, each by itself:
///   static Structure structure(const OpSpec&)                      what it computes, for counting and export
///   static OperatorCost cost(const OpSpec&, const ImageShape& in)  where it has no structure
///   OperatorGradients backward(const at::Tensor& input, const at::Tensor& output, const at::Tensor& gradient,
///                              const Forward& how)
///       run in place of what autograd would record of forward(), which then records nothing
///   static constexpr bool gradient_is_estimate = true
///       it is none of forward()'s own, as of a straight-through estimator: trials leave finite differences out
///   static constexpr std::int64_t channel_multiple = 8             trials try multiples of it as channels
///   static constexpr MixopOptionSpec options[] = {mixop::option(MIXOP_OPTION_INTEGER, "distance", "1", "Pixels, at least 1")}
///       what users set in its name, NAME:distance=2; the constructor reads spec.options.integer("distance")
class Operator {
 public:
  virtual ~Operator() = default;
  /// [N, in, H, W] to [N, out, ceil(H / stride), ceil(W / stride)]; recurrent: [..., C] to the same shape.
  virtual at::Tensor forward(const at::Tensor& input, const Forward& how) = 0;
  /// Parameters and buffers in published order; the same tensors at every call.
  virtual const std::vector<StateEntry>& state() = 0;

 protected:
  Operator() = default;
};

namespace detail {

template <class Derived>
const MixopBackward& backward_table() {
  static const MixopBackward table = {
      sizeof(MixopBackward), 0,
      [](MixopOpInstance* instance, MixopTensor input, MixopTensor output, MixopTensor gradient, const MixopForward* how,
         MixopTensor* of_input, MixopTensor* of_parameters, MixopError* error) {
        return guarded(error, [&] {
          auto& own = static_cast<Derived&>(*reinterpret_cast<Operator*>(instance));
          const auto tensor = [](MixopTensor handle) -> const at::Tensor& {
            return *reinterpret_cast<at::Tensor*>(handle);
          };
          const OperatorGradients found =
              own.backward(tensor(input), tensor(output), tensor(gradient), forward_from(*how));
          std::size_t parameters = 0;
          for (const StateEntry& entry : own.state()) parameters += entry.kind == StateKind::parameter ? 1 : 0;
          if (found.parameters.size() > parameters)
            throw Error(ErrorCode::plugin, "gradients of " + std::to_string(found.parameters.size()) +
                                               " parameters, and the state has " + std::to_string(parameters));
          const auto give = [](const at::Tensor& from, MixopTensor& to) {
            if (from.defined()) to = reinterpret_cast<MixopTensor>(new at::Tensor(from));
          };
          give(found.input, *of_input);
          for (std::size_t i = 0; i < found.parameters.size(); ++i) give(found.parameters[i], of_parameters[i]);
        });
      }};
  return table;
}

/// The extensions that the members of the operator and the static members of `Described` give.
template <class Derived, class Described>
const void* operator_extension(const char* id) {
  if constexpr (requires(Derived& own, const at::Tensor& x, const Forward& how) { own.backward(x, x, x, how); })
    if (std::strcmp(id, MIXOP_BACKWARD_EXTENSION) == 0) return &backward_table<Derived>();
  return extension<Described>(id);
}

/// The C table over operators of class `Derived`; `Described` has their static members.
template <class Derived, class Described, Domain domain>
const MixopOperator& operator_table() {
  static const MixopOperator table = [] {
    MixopOperator t{};
    t.size = sizeof t;
    t.domain = static_cast<std::uint32_t>(domain);
    t.create = [](const MixopOpSpec* spec, MixopOpInstance** instance, MixopError* error) {
      return guarded(error, [&] {
        std::unique_ptr<Operator> made = std::make_unique<Derived>(spec_from(*spec));
        *instance = reinterpret_cast<MixopOpInstance*>(made.release());
      });
    };
    t.destroy = [](MixopOpInstance* instance) { delete reinterpret_cast<Operator*>(instance); };
    t.forward = [](MixopOpInstance* instance, MixopTensor input, const MixopForward* how, MixopTensor* output,
                   MixopError* error) {
      return guarded(error, [&] {
        auto result = std::make_unique<at::Tensor>(reinterpret_cast<Operator*>(instance)->forward(
            *reinterpret_cast<at::Tensor*>(input), forward_from(*how)));
        *output = reinterpret_cast<MixopTensor>(result.release());
      });
    };
    t.state_count = [](MixopOpInstance* instance) {
      return static_cast<std::uint32_t>(reinterpret_cast<Operator*>(instance)->state().size());
    };
    t.state = [](MixopOpInstance* instance, std::uint32_t index, MixopState* state, MixopError* error) {
      return guarded(error, [&] {
        const auto& entries = reinterpret_cast<Operator*>(instance)->state();
        if (index >= entries.size()) throw Error(ErrorCode::usage, "state index past the end");
        const StateEntry& entry = entries[index];
        state->kind = static_cast<std::int32_t>(entry.kind);
        state->name = entry.name.c_str();
        state->tensor = reinterpret_cast<MixopTensor>(const_cast<at::Tensor*>(&entry.tensor));
        state->elements = entry.tensor.numel();
      });
    };
    t.get_extension = operator_extension<Derived, Described>;
    declare_options<Described>(t);
    return t;
  }();
  return table;
}

}  // namespace detail

/// The component of an Operator class; `summary` is what lists say of it, one sentence; `Described` has the static members,
/// if not the class itself.
template <class Derived, Domain domain = Domain::image, class Described = Derived>
MixopComponent native_operator(const char* name, const char* summary = nullptr) {
  return {sizeof(MixopComponent), MIXOP_KIND_OPERATOR, name, MIXOP_OPERATOR_INTERFACE,
          &detail::operator_table<Derived, Described, domain>(), summary};
}

}  // namespace mixop
