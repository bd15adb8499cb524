#include "host/graph/operators.hpp"

#include <algorithm>

#include "host/genotype/operation_name.hpp"
#include "host/process/running_part.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr std::uint32_t kMostStages = 4096, kMostInputs = 256;

struct Reading {
  std::string name;
  std::optional<Structure> structure;
  std::string defect;
};

std::uint32_t inputs_wanted(std::int32_t kind) { return kind == MIXOP_STAGE_ADD || kind == MIXOP_STAGE_MULTIPLY ? 2 : 1; }

bool in_range(const std::int64_t (&pair)[2], std::int64_t least) {
  constexpr std::int64_t kMost = 1 << 16;
  return pair[0] >= least && pair[1] >= least && pair[0] <= kMost && pair[1] <= kMost;
}

/// What is wrong with a stage that reads values 0 .. `known`; empty for nothing.
std::string defect_of(const MixopStage& stage, std::int32_t known) {
  constexpr std::int64_t kMostChannels = std::int64_t{1} << 24;
  if (stage.kind < MIXOP_STAGE_ZERO || stage.kind > MIXOP_STAGE_SHUFFLE)
    return "has a stage of unknown kind " + std::to_string(stage.kind);
  const bool any = stage.kind == MIXOP_STAGE_CONCAT;
  if (any ? stage.input_count == 0 || stage.input_count > kMostInputs : stage.input_count != inputs_wanted(stage.kind))
    return "has a stage of kind " + std::to_string(stage.kind) + " that reads " + std::to_string(stage.input_count) +
           " values";
  if (stage.inputs == nullptr) return "has a stage that reads values at NULL";
  for (std::uint32_t i = 0; i < stage.input_count; ++i)
    if (stage.inputs[i] < 0 || stage.inputs[i] > known)
      return "has a stage that reads value " + std::to_string(stage.inputs[i]) + " of " + std::to_string(known + 1);
  const bool channels = stage.kind == MIXOP_STAGE_CONV || stage.kind == MIXOP_STAGE_LINEAR ||
                        stage.kind == MIXOP_STAGE_BATCH_NORM;
  if (channels && (stage.in < 1 || stage.out < 1 || stage.in > kMostChannels || stage.out > kMostChannels))
    return "has a stage from " + std::to_string(stage.in) + " to " + std::to_string(stage.out) + " channels";
  if (stage.kind == MIXOP_STAGE_BATCH_NORM && stage.in != stage.out)
    return "has a batch norm from " + std::to_string(stage.in) + " to " + std::to_string(stage.out) + " channels";
  if (channels && stage.name == nullptr) return "has a stage with tensors and without a name";
  const bool grouped = stage.kind == MIXOP_STAGE_CONV || stage.kind == MIXOP_STAGE_SHUFFLE;
  if (grouped && stage.groups < 1) return "has a stage of " + std::to_string(stage.groups) + " groups";
  if (stage.kind == MIXOP_STAGE_CONV && (stage.in % stage.groups != 0 || stage.out % stage.groups != 0))
    return "has a convolution of " + std::to_string(stage.groups) + " groups, which do not divide its channels";
  if (!in_range(stage.kernel, 1) || !in_range(stage.stride, 1) || !in_range(stage.dilation, 1) ||
      !in_range(stage.padding, 0))
    return "has a stage with a kernel, stride, dilation or padding out of range";
  return "";
}

Stage from_abi(const MixopStage& from) {
  Stage stage;
  stage.kind = static_cast<StageKind>(from.kind);
  stage.name = from.name == nullptr ? "" : from.name;
  stage.inputs.assign(from.inputs, from.inputs + from.input_count);
  stage.in = from.in;
  stage.out = from.out;
  stage.groups = from.groups;
  stage.kernel = {from.kernel[0], from.kernel[1]};
  stage.stride = {from.stride[0], from.stride[1]};
  stage.padding = {from.padding[0], from.padding[1]};
  stage.dilation = {from.dilation[0], from.dilation[1]};
  stage.affine = from.affine != 0;
  stage.bias = from.bias != 0;
  stage.epsilon = from.epsilon;
  stage.momentum = from.momentum;
  return stage;
}

/// Called by the plugin; nothing may be thrown through it.
void take(void* context, const MixopStage* stages, std::uint32_t count) {
  Reading& reading = *static_cast<Reading*>(context);
  if (stages == nullptr || count == 0 || count > kMostStages) {
    reading.defect = "has " + std::to_string(count) + " stages";
    return;
  }
  if (stages->size < sizeof(MixopStage)) {
    reading.defect = "has stages of " + std::to_string(stages->size) + " bytes, expected " +
                     std::to_string(sizeof(MixopStage)) + " or more";
    return;
  }
  std::vector<Stage> read;
  const auto* bytes = reinterpret_cast<const char*>(stages);
  for (std::uint32_t i = 0; i < count && reading.defect.empty(); ++i) {
    const auto& stage = *reinterpret_cast<const MixopStage*>(bytes + std::size_t{i} * stages->size);
    reading.defect = defect_of(stage, static_cast<std::int32_t>(i));
    if (reading.defect.empty()) read.push_back(from_abi(stage));
  }
  if (reading.defect.empty()) reading.structure = Structure::of(std::move(read));
}

}  // namespace

AbiSpec::AbiSpec(const MixopOperator& table, const std::string& name, const OpSpec& spec)
    : options_(std::string(component_of(name)), table.options, table.option_count, options_in(name)) {
  spec_.size = sizeof spec_;
  spec_.affine = spec.affine ? 1 : 0;
  spec_.in = spec.in;
  spec_.out = spec.out;
  spec_.stride = spec.stride;
  spec_.options = options_.data();
  spec_.option_count = options_.size();
}

std::optional<Structure> structure_of(const MixopOperator& table, const std::string& name, const OpSpec& spec) {
  const auto* extension = extension_of<MixopStructure>(table, MIXOP_STRUCTURE_EXTENSION);
  if (extension == nullptr) return std::nullopt;
  const std::string called = "operator '" + name + "'";
  const AbiSpec abi(table, name, spec);
  Reading reading{name, std::nullopt, ""};
  const RunningPart running(called, "structure");
  checked(called, [&](MixopError* error) { return extension->describe(abi.get(), take, &reading, error); });
  if (reading.defect.empty() && !reading.structure) reading.defect = "was asked for and not given";
  if (!reading.defect.empty()) throw Error(ErrorCode::plugin, called + ": its structure " + reading.defect);
  return std::move(reading.structure);
}

std::optional<MixopCost> cost_of(const MixopOperator& table, const std::string& name, const OpSpec& spec,
                                 const ImageShape& input) {
  const auto* extension = extension_of<MixopCostTable>(table, MIXOP_COST_EXTENSION);
  if (extension == nullptr) return std::nullopt;
  const AbiSpec abi(table, name, spec);
  MixopCost cost{};
  cost.size = sizeof cost;
  const std::string called = "operator '" + name + "'";
  const RunningPart running(called, "cost");
  checked(called + ": cost",
          [&](MixopError* error) { return extension->cost(abi.get(), input.height, input.width, &cost, error); });
  return cost;
}

}  // namespace mixop
