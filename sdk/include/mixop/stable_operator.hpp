#pragma once

#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <concepts>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "mixop/abi/ext/backward.h"
#include "mixop/operator_parts.hpp"

// Operators with code of their own over LibTorch's stable C ABI, for plugins of tier stable. What holds one of
// LibTorch's handles is hidden, as they are.

namespace mixop {

/// A handle of LibTorch's; copies share the tensor. The functions of torch::stable take it (torch/csrc/stable/ops.h).
using StableTensor = torch::stable::Tensor;

/// A named parameter or buffer. The host changes its values, type and device in place.
struct [[gnu::visibility("hidden")]] StableStateEntry {
  std::string name;
  StableTensor tensor;
  StateKind kind = StateKind::parameter;
};

/// What a backward pass gives. An undefined tensor, such as StableTensor(), stands for zero.
struct [[gnu::visibility("hidden")]] StableGradients {
  StableGradients(StableTensor of_input, std::vector<StableTensor> of_parameters = {})
      : input(std::move(of_input)), parameters(std::move(of_parameters)) {}
  StableTensor input;
  std::vector<StableTensor> parameters;  ///< one each, in the order of the state
};

/// Throws an Error of code unsupported where a tensor is not on the CPU.
inline void require_cpu(const StableTensor& tensor) {
  if (!tensor.is_cpu())
    throw Error(ErrorCode::unsupported, "it has no code for other devices; expected a tensor on the CPU");
}

/// Whether a tensor is on a CUDA device; throws an Error of code unsupported where it is on neither that nor the CPU.
inline bool on_cuda(const StableTensor& tensor) {
  if (!tensor.is_cuda() && !tensor.is_cpu())
    throw Error(ErrorCode::unsupported,
                "it has no code for other devices; expected a tensor on the CPU or a CUDA device");
  return tensor.is_cuda();
}

/// Calls `body` with a zero of the C++ type of a tensor's elements: float, double or torch::headeronly::BFloat16.
/// Throws an Error of code unsupported for others.
template <class Body>
void with_floating_type(const StableTensor& tensor, Body&& body) {
  using torch::headeronly::ScalarType;
  switch (tensor.scalar_type()) {
    case ScalarType::Float: return body(float());
    case ScalarType::Double: return body(double());
    case ScalarType::BFloat16: return body(torch::headeronly::BFloat16());
    default:
      throw Error(ErrorCode::unsupported, std::string("expected elements of type Float, Double or BFloat16, found ") +
                                              torch::headeronly::toString(tensor.scalar_type()));
  }
}

namespace detail {

inline StableTensor borrowed(MixopTensor handle) {
  AtenTensorHandle own = nullptr;
  TORCH_ERROR_CODE_CHECK(aoti_torch_new_tensor_handle(handle, &own));
  return StableTensor(own);
}

/// A handle that its receiver frees; NULL for an undefined tensor.
inline MixopTensor passed_out(const StableTensor& tensor) {
  AtenTensorHandle handle = nullptr;
  if (tensor.defined()) TORCH_ERROR_CODE_CHECK(aoti_torch_new_tensor_handle(tensor.get(), &handle));
  return handle;
}

/// guarded(), with the call of LibTorch's that failed named as such. LibTorch writes the reason to stderr itself.
template <class Body>
MixopStatus stable_guarded(MixopError* error, Body&& body) noexcept {
  return guarded(error, [&] {
    try {
      body();
    } catch (const std::exception& failure) {
      const std::string_view text = failure.what();
      const auto end = text.find(" API call failed at ");
      if (end == std::string_view::npos) throw;
      throw Error(ErrorCode::failed,
                  "LibTorch failed in " + std::string(text.substr(0, end)) + "; its reason stands above on stderr");
    }
  });
}

template <class Class>
const std::vector<StableStateEntry>& stable_state(Class& instance) {
  static const std::vector<StableStateEntry> none;
  if constexpr (requires { instance.state(); }) return instance.state();
  else return none;
}

template <class Class>
std::size_t parameter_count(Class& instance) {
  std::size_t count = 0;
  for (const StableStateEntry& entry : stable_state(instance)) count += entry.kind == StateKind::parameter ? 1 : 0;
  return count;
}

template <class Class>
constexpr bool has_backward = requires(Class& op, const StableTensor& tensor, const Forward& how) {
  StableGradients(op.backward(tensor, tensor, tensor, how));
};

template <class Class>
const MixopBackward& stable_backward_table() {
  static const MixopBackward table = {
      sizeof(MixopBackward), 0,
      [](MixopOpInstance* instance, MixopTensor input, MixopTensor output, MixopTensor grad_output,
         const MixopForward* how, MixopTensor* grad_input, MixopTensor* grad_parameters, MixopError* error) {
        return stable_guarded(error, [&] {
          auto& op = *reinterpret_cast<Class*>(instance);
          const StableGradients gradients =
              op.backward(borrowed(input), borrowed(output), borrowed(grad_output), forward_from(*how));
          const std::size_t parameters = parameter_count(op);
          if (gradients.parameters.size() != parameters)
            throw Error(ErrorCode::plugin, "expected a gradient for each of " + std::to_string(parameters) +
                                               " parameters, found " + std::to_string(gradients.parameters.size()));
          *grad_input = passed_out(gradients.input);
          for (std::size_t i = 0; i < parameters; ++i) grad_parameters[i] = passed_out(gradients.parameters[i]);
        });
      }};
  return table;
}

template <class Class, Domain domain>
const MixopOperator& stable_operator_table() {
  static const MixopOperator table = [] {
    MixopOperator t{};
    t.size = sizeof t;
    t.domain = static_cast<std::uint32_t>(domain);
    t.create = [](const MixopOpSpec* spec, MixopOpInstance** instance, MixopError* error) {
      return stable_guarded(error,
                            [&] { *instance = reinterpret_cast<MixopOpInstance*>(new Class(spec_from(*spec))); });
    };
    t.destroy = [](MixopOpInstance* instance) { delete reinterpret_cast<Class*>(instance); };
    t.forward = [](MixopOpInstance* instance, MixopTensor input, const MixopForward* how, MixopTensor* output,
                   MixopError* error) {
      return stable_guarded(error, [&] {
        *output = passed_out(reinterpret_cast<Class*>(instance)->forward(borrowed(input), forward_from(*how)));
      });
    };
    t.state_count = [](MixopOpInstance* instance) {
      return static_cast<std::uint32_t>(stable_state(*reinterpret_cast<Class*>(instance)).size());
    };
    t.state = [](MixopOpInstance* instance, std::uint32_t index, MixopState* state, MixopError* error) {
      return stable_guarded(error, [&] {
        const auto& entries = stable_state(*reinterpret_cast<Class*>(instance));
        if (index >= entries.size()) throw Error(ErrorCode::usage, "state index past the end");
        const StableStateEntry& entry = entries[index];
        state->kind = static_cast<std::int32_t>(entry.kind);
        state->name = entry.name.c_str();
        state->tensor = entry.tensor.get();
        state->elements = entry.tensor.numel();
      });
    };
    t.get_extension = [](const char* id) -> const void* {
      if constexpr (has_backward<Class>)
        if (std::strcmp(id, MIXOP_BACKWARD_EXTENSION) == 0) return &stable_backward_table<Class>();
      return extension<Class>(id);
    };
    declare_options<Class>(t);
    return t;
  }();
  return table;
}

}  // namespace detail

/// The component of an operator class of tier stable. The class derives from nothing and has
///   explicit Class(const OpSpec&)            throws an Error of code unsupported where it cannot serve the spec
///   StableTensor forward(const StableTensor& input, const Forward&)
/// and may have
///   StableTensor or StableGradients backward(const StableTensor& input, output, grad_output, const Forward&)
///                                            without it, LibTorch differentiates what `forward` calls in torch::stable
///   const std::vector<StableStateEntry>& state()   parameters and buffers; the same tensors at every call
///   static structure, cost and options       as mixop::Operator's (mixop/operator.hpp)
/// Shapes are those of MixopOperator; inputs need not be contiguous. Whatever it throws is an error of the operator.
template <class Class, Domain domain = Domain::image>
MixopComponent stable_operator(const char* name, const char* summary = nullptr) {
  static_assert(std::is_constructible_v<Class, const OpSpec&>, "an operator is constructible from const OpSpec&");
  constexpr bool runs = requires(Class& op, const StableTensor& input, const Forward& how) {
    { op.forward(input, how) } -> std::same_as<StableTensor>;
  };
  static_assert(runs, "an operator has StableTensor forward(const StableTensor& input, const Forward& how)");
  static_assert(detail::has_backward<Class> || !requires { &Class::backward; },
                "an operator's backward takes (input, output, grad_output, how) and returns the gradient of its input "
                "or StableGradients");
  return {sizeof(MixopComponent), MIXOP_KIND_OPERATOR, name, MIXOP_OPERATOR_INTERFACE,
          &detail::stable_operator_table<Class, domain>(), summary};
}

}  // namespace mixop
