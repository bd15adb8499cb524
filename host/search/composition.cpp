#include "host/search/composition.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/graph/measure.hpp"
#include "host/plugins/option_values.hpp"
#include "host/runtime/finite.hpp"
#include "host/search/named_space.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

constexpr std::uint64_t kRelaxations = 2;  // beside the draws of the problem and of the network

/// What the user set of those options that the component declares: components of two interfaces may share a name.
std::map<std::string, std::string> options_of(const MixopFactory& factory, const std::string& name,
                                              const ComponentOptions& options) {
  std::map<std::string, std::string> own;
  const auto given = options.find(name);
  if (given == options.end()) return own;
  for (std::uint32_t i = 0; i < factory.option_count; ++i)
    if (const auto set = given->second.find(factory.options[i].name); set != given->second.end()) own.insert(*set);
  return own;
}

void* create(const MixopFactory& factory, const std::string& name, const std::map<std::string, std::string>& own) {
  const OptionValues values(name, factory.options, factory.option_count, own);
  void* object = nullptr;
  checked(name, [&](MixopError* error) { return factory.create(values.data(), values.size(), &object, error); });
  if (object == nullptr) throw Error(ErrorCode::plugin, "component '" + name + "': create succeeded but made nothing");
  return object;
}

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// What is dropped of a set, on the device of `like`; undefined: nothing.
at::Tensor dropped_in(const DroppedOperations& dropped, std::size_t set, const at::Tensor& like) {
  return set < dropped.size() && dropped[set].defined() ? dropped[set].to(like.device()) : at::Tensor();
}

/// The betas [..., edges, 1] with minus infinity for edges of which all operations are dropped, unless all of a node's are.
at::Tensor without_dropped_edges(const CellTopology& topology, const at::Tensor& betas, const at::Tensor& dropped) {
  at::Tensor gone = dropped.all(-1, /*keepdim=*/true);
  for (std::size_t first = 0, last = 0; first < topology.edges.size(); first = last) {
    while (last < topology.edges.size() && topology.edges[last].to == topology.edges[first].to) ++last;
    at::Tensor node = gone.narrow(-2, static_cast<std::int64_t>(first), static_cast<std::int64_t>(last - first));
    node.logical_and_(node.all(-2, /*keepdim=*/true).logical_not());
  }
  return betas.masked_fill(gone, kMinusInfinity);
}

/// The relaxed alphas of a set of which something is dropped.
Relaxed relax_rest(const Relaxation& relaxation, const at::Tensor& alphas, RelaxationContext how, const at::Tensor& gone) {
  how.some_dropped = true;
  const at::Tensor some_left = gone.all(-1, /*keepdim=*/true).logical_not();
  return ask("relax", &Relaxation::relax, relaxation, alphas.masked_fill(gone.logical_and(some_left), kMinusInfinity), how);
}

/// Of alphas [..., edges, 1] the softmax over the edges that lead to one node.
at::Tensor edge_weights(const CellTopology& topology, const at::Tensor& alphas) {
  const auto edges = static_cast<std::int64_t>(topology.edges.size());
  std::vector<at::Tensor> nodes;
  for (std::int64_t first = 0, last = 0; first < edges; first = last) {
    const int to = topology.edges[static_cast<std::size_t>(first)].to;
    while (last < edges && topology.edges[static_cast<std::size_t>(last)].to == to) ++last;
    nodes.push_back(alphas.narrow(-2, first, last - first).softmax(-2));
  }
  return at::cat(nodes, -2);
}

/// `before` is a copy of the alphas as they were; undefined where they are not on the CPU.
void check_relaxed(const std::string& called, const Relaxed& relaxed, const at::Tensor& alphas, const at::Tensor& before) {
  const auto refuse = [&](const std::string& how) {
    throw PartError(ErrorCode::plugin, called + ": relax: " + how + "; the plugin must be fixed");
  };
  if (!relaxed.weights.defined() || relaxed.weights.sizes() != alphas.sizes())
    refuse("expected weights of the alphas' shape " + c10::str(alphas.sizes()) + ", found " +
           (relaxed.weights.defined() ? c10::str(relaxed.weights.sizes()) : "none"));
  if (!relaxed.active.empty() && relaxed.active.size() != static_cast<std::size_t>(alphas.numel()))
    refuse("it says of " + std::to_string(relaxed.active.size()) + " operations whether they are active; expected none or all " +
           std::to_string(alphas.numel()));
  if (before.defined() && is_finite(before) && !at::equal(before, alphas)) refuse("the alphas were changed; compute with copies");
  if (!is_finite(relaxed.weights) && is_finite(alphas)) refuse("weights that are not finite, of alphas that are");
}

}  // namespace

void refuse_part(const StrategySlot& slot, const std::string& name) {
  throw Error(ErrorCode::plugin, "component '" + name + "' says that it is a " + slot.interface_id +
                                     ", and its class is none; register it by mixop::strategy_part<>()");
}

PartChoice with_options(const PluginRegistry& plugins, const StrategySlot& slot, PartChoice choice,
                        const ComponentOptions& options) {
  const MixopFactory& factory = plugins.factory(slot.interface_id, choice.part);
  for (std::uint32_t i = 0; i < factory.option_count; ++i)
    choice.options.emplace(factory.options[i].name, factory.options[i].default_value);
  for (const auto& [name, value] : options_of(factory, choice.part, options)) choice.options[name] = value;
  return choice;
}

Part<StrategyPart> make_part(const PluginRegistry& plugins, const StrategySlot& slot, const PartChoice& choice) {
  const MixopFactory& factory = plugins.factory(slot.interface_id, choice.part);
  Part<StrategyPart> made{static_cast<StrategyPart*>(create(factory, choice.part, choice.options)), {factory.destroy}};
  made->called = plugins.called(std::string(slot.name), slot.interface_id, choice.part);
  return made;
}

Part<SearchSpace> make_space(const PluginRegistry& plugins, const std::string& name, const ComponentOptions& options) {
  const MixopFactory& factory = plugins.factory(SearchSpace::interface_id, name);
  Part<SearchSpace> made{static_cast<SearchSpace*>(create(factory, name, options_of(factory, name, options))),
                         {factory.destroy}};
  return with_name(std::move(made), plugins.called("space", SearchSpace::interface_id, name));
}

Part<SearchSpace> make_space(const PluginRegistry& plugins, const std::string& name, const ComponentOptions& options,
                             const Task& task) {
  auto space = make_space(plugins, name, options);
  if (const Task& own = task_of(space->domain()); &own != &task)
    throw Error(ErrorCode::usage,
                std::string("space.name: expected a space for ") + task.data_name() + ", as the data is, found '" + name +
                    "', which is for " + own.data_name() +
                    "; choose another space.name or data.name, or a preset, which sets both (mixop list presets)");
  return space;
}

PartChoices parts_of(const PluginRegistry& plugins, const StrategyNames& names, const ComponentOptions& options) {
  PartChoices parts = exchanged_parts(plugins.strategy(names.strategy), names.parts);
  for (const StrategySlot& slot : strategy_slots) {
    PartChoice& choice = parts.at(std::string(slot.name));
    choice = with_options(plugins, slot, std::move(choice), options);
  }
  return parts;
}

Composition::Composition(const PluginRegistry& plugins, PartChoices choices) { exchange(plugins, std::move(choices)); }

void Composition::exchange(const PluginRegistry& plugins, PartChoices choices) {
  std::array<Part<StrategyPart>, strategy_slots.size()> made;
  for (std::size_t i = 0; i < strategy_slots.size(); ++i) {
    const std::string slot(strategy_slots[i].name);
    const auto own = choices_.find(slot);
    if (own != choices_.end() && own->second == choices.at(slot)) continue;
    made[i] = make_part(plugins, strategy_slots[i], choices.at(slot));
    if (!sets_.empty()) ask("begin", &StrategyPart::begin, *made[i], sets_);
  }
  for (std::size_t i = 0; i < strategy_slots.size(); ++i)
    if (made[i] != nullptr) parts_[i] = std::move(made[i]);
  choices_ = std::move(choices);
}

void Composition::begin(std::vector<SearchedSet> sets) {
  sets_ = std::move(sets);
  for (const Part<StrategyPart>& part : parts_) ask("begin", &StrategyPart::begin, *part, sets_);
}

std::map<std::string, StrategyPart*> Composition::parts() const {
  std::map<std::string, StrategyPart*> all;
  for (std::size_t i = 0; i < strategy_slots.size(); ++i)
    all.emplace(strategy_slots[i].name, parts_[i].get());
  return all;
}

std::map<std::string, double> Composition::measured() const {
  std::map<std::string, double> all;
  for (const auto& [slot, part] : parts()) {
    for (const auto& [name, value] : ask("measured", &StrategyPart::measured, *part)) {
      const std::string what = "strategy." + slot + "=" + choices_.at(slot).part + " measures '" + name + "'";
      if (!std::isfinite(value))
        throw Error(ErrorCode::plugin, what + " as " + std::to_string(value) + "; expected a finite number");
      if (!all.emplace(name, value).second)
        throw Error(ErrorCode::plugin, what + ", and so does another part; exchange one of them");
    }
  }
  return all;
}

EdgeRuleData rule_of(const EdgeRule& part) { return ask("rule", &EdgeRule::rule, part); }

std::vector<Relaxed> relax(const Relaxation& relaxation, const std::vector<AlphaSet>& sets,
                           const std::vector<at::Tensor>& alphas, RelaxationContext how,
                           const DroppedOperations& dropped) {
  const std::uint64_t step_key = how.key;
  std::vector<Relaxed> all;
  for (std::size_t set = 0; set < alphas.size(); ++set) {
    const at::Tensor gone = dropped_in(dropped, static_cast<std::size_t>(sets.at(set).weighs.value_or(static_cast<int>(set))), alphas[set]);
    if (const std::optional<int>& weighed = sets.at(set).weighs) {
      const CellTopology& topology = sets[set].topology;
      all.push_back({edge_weights(topology, gone.defined() ? without_dropped_edges(topology, alphas[set], gone) : alphas[set])});
      Relaxed& own = all.at(static_cast<std::size_t>(*weighed));
      own.edges = all.back().weights;
      own.weights = own.weights * own.edges;
      continue;
    }
    how.key = key_of({step_key, kRelaxations, set});
    const at::Tensor before = alphas[set].is_cpu() ? alphas[set].detach().clone() : at::Tensor();
    all.push_back(gone.defined() ? relax_rest(relaxation, alphas[set], how, gone)
                                 : ask("relax", &Relaxation::relax, relaxation, alphas[set], how));
    check_relaxed(relaxation.called, all.back(), alphas[set], before);
  }
  drop(dropped, all);
  return all;
}

DroppedOperations dropped_of(const EpochPlan& plan, const std::vector<AlphaSet>& sets) {
  if (plan.dropped.empty()) return {};
  DroppedOperations all;
  std::size_t next = 0;
  for (const AlphaSet& set : sets) {
    at::Tensor& own = all.emplace_back();
    if (set.weighs) continue;
    if (next == plan.dropped.size() || plan.dropped[next].scalar_type() != at::kBool ||
        plan.dropped[next].sizes() != at::IntArrayRef(set.shape()))
      throw Error(ErrorCode::plugin, "the schedule drops operations by " + std::to_string(plan.dropped.size()) +
                                         " tensors; expected one of booleans for each set that it was told of, of '" + set.name +
                                         "' of the shape " + c10::str(at::IntArrayRef(set.shape())) +
                                         "; the plugin must be fixed");
    own = plan.dropped[next++].to(at::kCPU).contiguous();
    if (!own.any().item<bool>()) own = at::Tensor();
  }
  return all;
}

void drop(const DroppedOperations& dropped, std::vector<Relaxed>& relaxed) {
  for (std::size_t set = 0; set < dropped.size(); ++set) {
    if (!dropped[set].defined()) continue;
    Relaxed& own = relaxed[set];
    own.weights = own.weights.masked_fill(dropped_in(dropped, set, own.weights), 0);
    const bool* gone = dropped[set].const_data_ptr<bool>();
    own.active.resize(static_cast<std::size_t>(dropped[set].numel()), /*where none was said=*/true);
    for (std::size_t k = 0; k < own.active.size(); ++k) own.active[k] = own.active[k] && !gone[k];
  }
}

std::vector<SearchedSet> searched_sets(const NetworkGraph& graph, const OperatorCatalog& operators) {
  const MeasuredNetwork measured = measure(graph, operators);
  std::vector<SearchedSet> sets;
  for (std::size_t i = 0; i < graph.alphas.size(); ++i) {
    if (graph.alphas[i].weighs) continue;
    SearchedSet searched{graph.alphas[i], {}, {}};
    for (const Cost& cost : measured.candidates[i]) {
      searched.multiply_adds.push_back(static_cast<double>(cost.multiply_adds));
      searched.parameters.push_back(static_cast<double>(cost.parameters));
    }
    sets.push_back(std::move(searched));
  }
  return sets;
}

void apply_plan(const EpochPlan& plan, const std::vector<AlphaSet>& sets, const DroppedOperations& dropped,
                std::vector<Relaxed>& relaxed) {
  for (const auto& [name, value] : plan.added)
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const std::vector<std::string>& operations = sets[i].topology.operations;
      const auto found = std::find(operations.begin(), operations.end(), name);
      if (found == operations.end() || value == 0) continue;
      const auto column = found - operations.begin();
      at::Tensor added = at::zeros({static_cast<std::int64_t>(operations.size())}, relaxed[i].weights.options().requires_grad(false));
      added.narrow(0, column, 1).fill_(value);
      relaxed[i].weights = relaxed[i].weights + added;
      std::vector<bool>& active = relaxed[i].active;
      for (std::size_t k = static_cast<std::size_t>(column); k < active.size(); k += operations.size()) active[k] = true;
    }
  if (!plan.added.empty()) drop(dropped, relaxed);
}

Genotype searched_genotype(const Deriver& deriver, const std::vector<AlphaSet>& sets,
                           const std::vector<at::Tensor>& relaxed, const std::vector<std::string>& unused) {
  std::vector<AlphaSet> used_sets;
  std::vector<at::Tensor> used;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (std::find(unused.begin(), unused.end(), sets[i].name) != unused.end()) continue;
    used_sets.push_back(sets[i]);
    used.push_back(relaxed[i]);
  }
  return ask("derive", &Deriver::derive, deriver, used_sets, used);
}

SearchPosition derived_at(std::int64_t row, std::int64_t epochs) {
  return {std::clamp<std::int64_t>(row - 1, 0, std::max<std::int64_t>(epochs - 1, 0)), epochs, 0};
}

std::vector<at::Tensor> relaxed_for_derivation(const Relaxation& relaxation, const std::vector<AlphaSet>& sets,
                                               const std::vector<at::Tensor>& alphas, const SearchPosition& at,
                                               const DroppedOperations& dropped) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> own, weights;
  for (const at::Tensor& alpha : alphas) own.push_back(alpha.detach().to(at::kCPU, at::kFloat));
  for (const Relaxed& relaxed : relax(relaxation, sets, own, {at, Phase::derive, /*key=*/0}, dropped))
    weights.push_back(relaxed.weights.to(at::kCPU, at::kFloat));
  return weights;
}

}  // namespace mixop
