#pragma once

#include <cstdint>
#include <cstring>

#include "mixop/abi/ext/cost.h"
#include "mixop/abi/ext/structure.h"
#include "mixop/abi/ext/trials.h"
#include "mixop/abi/operator.h"
#include "mixop/abi/plugin.h"
#include "mixop/error.hpp"
#include "mixop/graph.hpp"
#include "mixop/structure_operator.hpp"

// What operators with code of their own have in common, on LibTorch's C++ API (mixop/operator.hpp) or on its stable C
// ABI (mixop/stable_operator.hpp). Without LibTorch.

namespace mixop {

enum class StateKind { parameter = MIXOP_STATE_PARAMETER, buffer = MIXOP_STATE_BUFFER };

/// How one forward pass is run.
struct Forward {
  bool training = true;           ///< batch statistics, drop-path; otherwise running statistics
  bool update_statistics = true;  ///< a training pass also updates running statistics
  std::uint64_t key = 0;          ///< every random draw of the pass is a function of this key
};

inline Forward forward_from(const MixopForward& how) {
  return {how.training != 0, how.update_statistics != 0, how.key};
}

/// What an operator without a structure costs for one sample.
struct OperatorCost {
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;  ///< of convolutions and linear layers, in evaluation
  std::int64_t activations = 0;    ///< numbers that its layers put out, in training
};

namespace detail {

template <class Derived>
const MixopCostTable& cost_table() {
  static const MixopCostTable table = {
      sizeof(MixopCostTable), 0,
      [](const MixopOpSpec* spec, std::int64_t height, std::int64_t width, MixopCost* cost, MixopError* error) {
        return guarded(error, [&] {
          const OperatorCost known = Derived::cost(spec_from(*spec), ImageShape{spec->in, height, width});
          cost->parameters = known.parameters;
          cost->multiply_adds = known.multiply_adds;
          cost->activations = known.activations;
        });
      }};
  return table;
}

template <class Described>
const MixopTrials& trials_table() {
  static const MixopTrials table = [] {
    MixopTrials t{};
    t.size = sizeof t;
    if constexpr (requires { Described::gradient_is_estimate; }) t.gradient_is_estimate = Described::gradient_is_estimate;
    if constexpr (requires { Described::channel_multiple; }) t.channel_multiple = Described::channel_multiple;
    return t;
  }();
  return table;
}

/// The options that `Described` declares, into the table.
template <class Described>
void declare_options(MixopOperator& table) {
  if constexpr (requires { Described::options; }) {
    table.options = Described::options;
    table.option_count = static_cast<std::uint32_t>(sizeof Described::options / sizeof *Described::options);
  }
}

/// The extensions that the static members of `Described` give.
template <class Described>
const void* extension(const char* id) {
  if constexpr (requires { Described::gradient_is_estimate; } || requires { Described::channel_multiple; })
    if (std::strcmp(id, MIXOP_TRIALS_EXTENSION) == 0) return &trials_table<Described>();
  if constexpr (requires(const OpSpec& spec) { Described::structure(spec); })
    if (std::strcmp(id, MIXOP_STRUCTURE_EXTENSION) == 0)
      return &structure_table<[](const OpSpec& spec) { return Described::structure(spec); }>();
  if constexpr (requires(const OpSpec& spec, const ImageShape& in) { Described::cost(spec, in); })
    if (std::strcmp(id, MIXOP_COST_EXTENSION) == 0) return &cost_table<Described>();
  return nullptr;
}

}  // namespace detail
}  // namespace mixop
