#include "host/graph/operator_costs.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "mixop/error.hpp"
#include "mixop/structure_size.hpp"

namespace mixop {
namespace {

bool is_pool(const Stage& stage) { return stage.kind == StageKind::max_pool || stage.kind == StageKind::avg_pool; }

bool is_stateless(const Stage& stage) {
  return is_pool(stage) || stage.kind == StageKind::relu || stage.kind == StageKind::tanh ||
         stage.kind == StageKind::sigmoid;
}

/// Whether what stands behind stage `count - 1` reads nothing from before it.
bool cuts(const std::vector<Stage>& stages, std::size_t count) {
  return std::all_of(stages.begin() + static_cast<std::ptrdiff_t>(count), stages.end(), [&](const Stage& stage) {
    return std::all_of(stage.inputs.begin(), stage.inputs.end(),
                       [&](int value) { return value >= static_cast<int>(count); });
  });
}

/// The first stages without state, and the norm without affine behind a pool; their names do not matter.
std::vector<Stage> start_of(const std::vector<Stage>& stages) {
  std::size_t count = 0;
  while (count < stages.size() && is_stateless(stages[count]) && cuts(stages, count + 1)) ++count;
  const bool norm = count > 0 && count < stages.size() && is_pool(stages[count - 1]) &&
                    stages[count].kind == StageKind::batch_norm && !stages[count].affine && cuts(stages, count + 1);
  std::vector<Stage> start(stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(count + (norm ? 1 : 0)));
  for (Stage& stage : start) stage.name.clear();
  return start;
}

std::int64_t count_parameters(const MixopOperator& table, const std::string& name, const OpSpec& spec) {
  const std::string called = "operator '" + name + "'";
  const AbiSpec abi(table, name, spec);
  MixopOpInstance* made = nullptr;
  checked(called, [&](MixopError* error) { return table.create(abi.get(), &made, error); });
  if (made == nullptr) throw Error(ErrorCode::plugin, called + ": create succeeded but made nothing");
  const std::unique_ptr<MixopOpInstance, decltype(table.destroy)> instance(made, table.destroy);
  std::int64_t count = 0;
  const std::uint32_t entries = table.state_count(made);
  for (std::uint32_t i = 0; i < entries; ++i) {
    MixopState state{};
    state.size = sizeof state;
    checked(called, [&](MixopError* error) { return table.state(made, i, &state, error); });
    if (state.kind == MIXOP_STATE_PARAMETER) count += state.elements;
  }
  return count;
}

}  // namespace

const OperatorCosts::Known& OperatorCosts::of(const std::string& name, const OpSpec& spec, bool pools_normalised,
                                              const ImageShape& input) {
  const Question question{Spec{name, spec.in, spec.out, spec.stride, spec.affine}, pools_normalised, input.channels,
                          input.height, input.width};
  const auto found = known_.find(question);
  if (found != known_.end()) return found->second;
  return known_.emplace(question, asked(name, spec, pools_normalised, input)).first->second;
}

OperatorCosts::Known OperatorCosts::asked(const std::string& name, const OpSpec& spec, bool pools_normalised,
                                          const ImageShape& input) {
  const MixopOperator& table = operators_.find_operator(name, Domain::image);
  std::optional<Structure> structure = structure_of(table, name, spec);
  if (!structure && !has_own_code(table))
    throw Error(ErrorCode::plugin, "operator '" + name + "' has neither code of its own nor a structure");
  if (structure && pools_normalised && is_pool(structure->stages().back())) structure->batch_norm(spec.out, false);
  Known known = structure ? of_structure(name, std::move(*structure), input, !has_own_code(table))
                          : of_own_code(table, name, spec, input);
  ImageShape expected = strided(input, spec.stride);
  expected.channels = spec.out;
  if (!(known.output == expected))
    throw Error(ErrorCode::plugin, "operator '" + name + "': its structure makes " + text_of(known.output) + " of " +
                                       text_of(input) + ", expected " + text_of(expected));
  return known;
}

OperatorCosts::Known OperatorCosts::of_structure(const std::string& name, Structure structure, const ImageShape& input,
                                                 bool shares) {
  Known known;
  try {
    const StructureSize size = size_of(structure, input);
    known.cost = {size.parameters, size.multiply_adds, size.activations};
    known.output = size.output;
    known.zero = structure.is_only(StageKind::zero);
    std::vector<Stage> start = start_of(structure.stages());
    if (!shares || start.empty()) return known;
    known.start = number_of(start);
    known.start_activations = size_of(Structure::of(std::move(start)), input).activations;
  } catch (const Error& error) {
    throw Error(error.code(), "operator '" + name + "': in its structure " + error.what());
  }
  return known;
}

OperatorCosts::Known OperatorCosts::of_own_code(const MixopOperator& table, const std::string& name, const OpSpec& spec,
                                                const ImageShape& input) {
  Known known;
  known.output = strided(input, spec.stride);
  known.output.channels = spec.out;
  if (const auto cost = cost_of(table, name, spec, input)) {
    known.cost = {cost->parameters, cost->multiply_adds, cost->activations};
    return known;
  }
  const Spec key{name, spec.in, spec.out, spec.stride, spec.affine};
  if (parameters_.count(key) == 0) parameters_[key] = count_parameters(table, name, spec);
  known.cost = {parameters_[key], 0, numbers_of(known.output), {name}};
  return known;
}

int OperatorCosts::number_of(const std::vector<Stage>& start) {
  const auto found = std::find(starts_.begin(), starts_.end(), start);
  if (found == starts_.end()) {
    starts_.push_back(start);
    return static_cast<int>(starts_.size()) - 1;
  }
  return static_cast<int>(found - starts_.begin());
}

}  // namespace mixop
