#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "mixop/abi/operator.h"
#include "mixop/abi/plugin.h"
#include "mixop/error.hpp"
#include "mixop/network.hpp"

namespace mixop {

/// What an operator is built for.
struct OpSpec {
  std::int64_t channels = 16;  ///< of input and output
  std::int64_t stride = 1;     ///< 1 or 2
  bool affine = false;         ///< whether batch norms have weight and bias
};

enum class Domain : std::uint32_t { image = MIXOP_DOMAIN_IMAGE, recurrent = MIXOP_DOMAIN_RECURRENT };

/// What the author of a native operator derives from; constructible from `const OpSpec&`. Most operators are shorter as
/// a Chain (mixop/chain.hpp) or as a torch::nn::Module (mixop/module_operator.hpp).
class Operator {
 public:
  virtual ~Operator() = default;
  /// [N, C, H, W] to [N, C, ceil(H / stride), ceil(W / stride)]; recurrent: [..., C] to the same shape.
  virtual at::Tensor forward(const at::Tensor& input, const Forward& how) = 0;
  /// Parameters and buffers in published order; the same tensors at every call.
  virtual const std::vector<StateEntry>& state() = 0;
  /// The operator as a chain of stages, or empty: then it is always run by its own forward.
  virtual std::vector<MixopStage> structure() { return {}; }
  /// Cost for an input of that shape; false where the operator does not know.
  virtual bool cost(const ImageShape&, Cost&) { return false; }

 protected:
  Operator() = default;
};

namespace detail {

/// The C table over operators that `make(spec)` builds.
template <auto make, Domain domain>
const MixopOperator& operator_table() {
  static const MixopOperator table = [] {
    MixopOperator t{};
    t.size = sizeof t;
    t.domain = static_cast<std::uint32_t>(domain);
    t.create = [](const MixopOpSpec* spec, MixopOpInstance** instance, MixopError* error) {
      return guarded(error, [&] {
        std::unique_ptr<Operator> made = make(OpSpec{spec->channels, spec->stride, spec->affine != 0});
        *instance = reinterpret_cast<MixopOpInstance*>(made.release());
      });
    };
    t.destroy = [](MixopOpInstance* instance) { delete reinterpret_cast<Operator*>(instance); };
    t.forward = [](MixopOpInstance* instance, MixopTensor input, const MixopForward* how, MixopTensor* output,
                   MixopError* error) {
      return guarded(error, [&] {
        auto result = std::make_unique<at::Tensor>(reinterpret_cast<Operator*>(instance)->forward(
            *reinterpret_cast<at::Tensor*>(input), Forward{how->training != 0, how->update_statistics != 0, how->key}));
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
      });
    };
    t.structure = [](MixopOpInstance* instance, MixopStage* stages, std::uint32_t capacity) -> std::uint32_t {
      const auto structure = reinterpret_cast<Operator*>(instance)->structure();
      for (std::size_t i = 0; i < structure.size() && i < capacity; ++i) stages[i] = structure[i];
      return static_cast<std::uint32_t>(structure.size());
    };
    t.cost = [](MixopOpInstance* instance, std::int64_t height, std::int64_t width, MixopCost* cost,
                MixopError* error) {
      return guarded(error, [&] {
        Cost known;
        if (!reinterpret_cast<Operator*>(instance)->cost({0, height, width}, known))
          throw Error(ErrorCode::unsupported, "the operator does not know its cost");
        cost->parameters = known.parameters;
        cost->multiply_adds = known.multiply_adds;
      });
    };
    return t;
  }();
  return table;
}

}  // namespace detail

/// The component of operators that the stateless callable `make` builds as std::unique_ptr<Operator>.
template <auto make, Domain domain = Domain::image>
MixopComponent operator_from(const char* name) {
  return {sizeof(MixopComponent), MIXOP_KIND_OPERATOR, name, MIXOP_OPERATOR_INTERFACE,
          &detail::operator_table<make, domain>()};
}

/// The component of an Operator class.
template <class Derived, Domain domain = Domain::image>
MixopComponent native_operator(const char* name) {
  return operator_from<[](const OpSpec& spec) -> std::unique_ptr<Operator> { return std::make_unique<Derived>(spec); },
                       domain>(name);
}

}  // namespace mixop
