#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "mixop/abi/ext/structure.h"
#include "mixop/abi/plugin.h"
#include "mixop/error.hpp"
#include "mixop/graph.hpp"

// Operators that are described, and run by the host. They need no LibTorch.

namespace mixop {

/// Hands a structure over the plugin boundary, for the call of `sink` alone.
inline void pass_structure(const Structure& structure, MixopStructureSink sink, void* context) {
  std::vector<MixopStage> stages;
  for (const Stage& from : structure.stages()) {
    MixopStage stage{};
    stage.size = sizeof stage;
    stage.kind = static_cast<std::int32_t>(from.kind);
    stage.name = from.name.c_str();
    stage.inputs = from.inputs.data();
    stage.input_count = static_cast<std::uint32_t>(from.inputs.size());
    stage.affine = from.affine ? 1 : 0;
    stage.bias = from.bias ? 1 : 0;
    stage.in = from.in;
    stage.out = from.out;
    stage.groups = from.groups;
    for (std::size_t axis = 0; axis < 2; ++axis) {
      stage.kernel[axis] = from.kernel[axis];
      stage.stride[axis] = from.stride[axis];
      stage.padding[axis] = from.padding[axis];
      stage.dilation[axis] = from.dilation[axis];
    }
    stage.epsilon = from.epsilon;
    stage.momentum = from.momentum;
    stages.push_back(stage);
  }
  sink(context, stages.data(), static_cast<std::uint32_t>(stages.size()));
}

/// Throws an unsupported error where an operator that keeps the number of channels is asked for another one.
inline void require_same_channels(const OpSpec& spec) {
  if (spec.in != spec.out)
    throw Error(ErrorCode::unsupported, "it keeps the number of channels; expected as many out as in, found " +
                                            std::to_string(spec.in) + " in and " + std::to_string(spec.out) +
                                            " out. Put a convolution before or after it");
}

inline OpSpec spec_from(const MixopOpSpec& spec) {
  return {spec.in, spec.out, spec.stride, spec.affine != 0, Options(spec.options, spec.option_count)};
}

/// The structure extension of operators that `build(spec)` describes.
template <auto build>
const MixopStructure& structure_table() {
  static const MixopStructure table = {
      sizeof(MixopStructure), 0,
      [](const MixopOpSpec* spec, MixopStructureSink sink, void* context, MixopError* error) {
        return guarded(error, [&] { pass_structure(build(spec_from(*spec)), sink, context); });
      }};
  return table;
}

/// The component of an operator that the callable `build` describes:
/// structure_operator<[](const OpSpec& s) { return Structure("op.").relu().conv(...); }>("name", "What lists say of it.").
/// `options`, which live as long as the library, are those that `build` reads of its spec.
template <auto build, Domain domain = Domain::image>
MixopComponent structure_operator(const char* name, const char* summary = nullptr,
                                  std::span<const MixopOptionSpec> options = {}) {
  static const MixopOperator table = [options] {
    MixopOperator t{};
    t.size = sizeof t;
    t.domain = static_cast<std::uint32_t>(domain);
    t.options = options.data();
    t.option_count = static_cast<std::uint32_t>(options.size());
    t.get_extension = [](const char* id) -> const void* {
      return std::strcmp(id, MIXOP_STRUCTURE_EXTENSION) == 0 ? &structure_table<build>() : nullptr;
    };
    return t;
  }();
  return {sizeof(MixopComponent), MIXOP_KIND_OPERATOR, name, MIXOP_OPERATOR_INTERFACE, &table, summary};
}

}  // namespace mixop
