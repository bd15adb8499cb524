#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "host/config/parts.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/plugins/part_error.hpp"
#include "host/plugins/registry.hpp"
#include "host/task/task.hpp"
#include "mixop/space.hpp"
#include "mixop/strategy.hpp"

namespace mixop {

/// Option values by component name, then option name.
using ComponentOptions = std::map<std::string, std::map<std::string, std::string>>;

/// Hands an object back to the plugin that made it.
struct PartDeleter {
  void (*destroy)(void*) = nullptr;
  template <class Interface>
  void operator()(Interface* object) const {
    if constexpr (std::is_base_of_v<StrategyPart, Interface>)
      destroy(static_cast<StrategyPart*>(object));
    else
      destroy(object);
  }
};

template <class Interface>
using Part = std::unique_ptr<Interface, PartDeleter>;

/// A new part of a slot, with these values over its defaults.
Part<StrategyPart> make_part(const PluginRegistry& plugins, const StrategySlot& slot, const PartChoice& choice);

[[noreturn]] void refuse_part(const StrategySlot& slot, const std::string& name);

/// As the interface of the slot that it stands in.
template <class Interface>
Interface& as(StrategyPart& part, const std::string& name) {
  auto* found = dynamic_cast<Interface*>(&part);
  if (found == nullptr) refuse_part(Interface::slot, name);
  return *found;
}

template <class Interface>
Part<Interface> as_interface(Part<StrategyPart> part, const std::string& name) {
  Interface& made = as<Interface>(*part, name);
  const PartDeleter deleter = part.get_deleter();
  part.release();
  return Part<Interface>(&made, deleter);
}

/// A new search space, with the user's options over its defaults.
Part<SearchSpace> make_space(const PluginRegistry& plugins, const std::string& name, const ComponentOptions& options);
/// The search space of that name for a task; throws a usage error where it is for another.
Part<SearchSpace> make_space(const PluginRegistry& plugins, const std::string& name, const ComponentOptions& options,
                             const Task& task);

/// The parts of a named strategy, exchanged where `names` has others, with all their option values: their defaults, over
/// those the strategy's, over those what `options` says of a component of that name.
PartChoices parts_of(const PluginRegistry& plugins, const StrategyNames& names, const ComponentOptions& options = {});

/// All option values of a part: its defaults, over those what the choice has, over those what `options` says.
PartChoice with_options(const PluginRegistry& plugins, const StrategySlot& slot, PartChoice choice,
                        const ComponentOptions& options);

/// A new object of a component behind a C++ interface, with the user's options over its defaults.
template <class Interface>
Part<Interface> make_part(const PluginRegistry& plugins, const std::string& name, const ComponentOptions& options) {
  if constexpr (std::is_same_v<Interface, SearchSpace>) {
    return make_space(plugins, name, options);
  } else {
    const PartChoice choice = with_options(plugins, Interface::slot, {name}, options);
    return as_interface<Interface>(make_part(plugins, Interface::slot, choice), name);
  }
}

/// A new object of the part that was chosen for the interface's slot.
template <class Interface>
Part<Interface> make_part(const PluginRegistry& plugins, const PartChoices& choices) {
  const PartChoice& choice = choices.at(std::string(Interface::slot.name));
  return as_interface<Interface>(make_part(plugins, Interface::slot, choice), choice.part);
}

/// The parts of a strategy, made: one in every slot.
class Composition {
 public:
  Composition(const PluginRegistry& plugins, PartChoices choices);

  /// Tells all parts, and those that come later, what is searched.
  void begin(std::vector<SearchedSet> sets);

  /// Turns to these parts: those that stay keep their state, others start anew. Where one cannot be made, all stay.
  void exchange(const PluginRegistry& plugins, PartChoices choices);

  /// What it was made of.
  const PartChoices& choices() const { return choices_; }
  /// The part of an interface's slot: part<Relaxation>().
  template <class Interface>
  Interface& part() const {
    const std::size_t at = slot_index(Interface::slot.name);
    return as<Interface>(*parts_[at], choices_.at(std::string(Interface::slot.name)).part);
  }
  /// All parts by their slot, for saving and loading their state.
  std::map<std::string, StrategyPart*> parts() const;
  /// What all parts have measured of the epoch that ended last. Throws a plugin error where two parts have one name.
  std::map<std::string, double> measured() const;

 private:
  PartChoices choices_;
  std::vector<SearchedSet> sets_;
  std::array<Part<StrategyPart>, strategy_slots.size()> parts_;
};

/// What a call of a strategy's part gives: ask("rule", &EdgeRule::rule, part). What it throws names the part.
template <class Call, class Part, class... Arguments>
decltype(auto) ask(const char* asked, Call call, Part& part, Arguments&&... arguments) {
  return naming(part.called, asked,
                [&]() -> decltype(auto) { return std::invoke(call, part, std::forward<Arguments>(arguments)...); });
}

/// The part's rule.
EdgeRuleData rule_of(const EdgeRule& part);

/// What is dropped of every alpha set, on the CPU: see EpochPlan. An undefined tensor: nothing; empty: nothing of any.
using DroppedOperations = std::vector<at::Tensor>;

/// What a plan drops of these sets. Throws a plugin error where it does not fit them.
DroppedOperations dropped_of(const EpochPlan& plan, const std::vector<AlphaSet>& sets);

/// All sets relaxed, each with a key of its own: `how` has that of the step. Sets that weigh edges become the softmax over
/// the edges of each node, and the weights of their operations are multiplied by it. What is dropped has no weight.
std::vector<Relaxed> relax(const Relaxation& relaxation, const std::vector<AlphaSet>& sets,
                           const std::vector<at::Tensor>& alphas, RelaxationContext how,
                           const DroppedOperations& dropped = {});

/// What parts are told of a search of that graph.
std::vector<SearchedSet> searched_sets(const NetworkGraph& graph, const OperatorCatalog& operators);

/// Adds what a plan adds to the weights of operations that are not dropped.
void apply_plan(const EpochPlan& plan, const std::vector<AlphaSet>& sets, const DroppedOperations& dropped,
                std::vector<Relaxed>& relaxed);

/// Takes the weights of what is dropped away.
void drop(const DroppedOperations& dropped, std::vector<Relaxed>& relaxed);

/// Where a search stood when the genotype of the row `epoch` of its alphas was derived: row 0 is the start, row e + 1
/// the end of epoch e.
SearchPosition derived_at(std::int64_t row, std::int64_t epochs);

/// The genotype that a deriver reads out of relaxed alphas. The sets `unused`, which no cell of the network reads, were
/// not searched, and have no cell in it.
Genotype searched_genotype(const Deriver& deriver, const std::vector<AlphaSet>& sets,
                           const std::vector<at::Tensor>& relaxed, const std::vector<std::string>& unused);

/// The weights that derivers read: float32 on the CPU, in Phase::derive.
std::vector<at::Tensor> relaxed_for_derivation(const Relaxation& relaxation, const std::vector<AlphaSet>& sets,
                                               const std::vector<at::Tensor>& alphas, const SearchPosition& at,
                                               const DroppedOperations& dropped = {});

}  // namespace mixop
