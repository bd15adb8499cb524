#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <type_traits>

// The slots of a strategy. Whatever lists, stores, reads or checks parts loops over this table: a new slot is an entry
// here, its class named below, and that class in strategy.hpp.

namespace mixop {

struct StrategySlot {
  std::string_view name;       ///< as in strategy.<name>, the archive's /strategy/<name> and MixopStrategyPart::slot
  const char* interface_id;    ///< what a component that fits says it is
  std::string_view empty;      ///< the part of a strategy that does not name one; empty where every strategy must
  std::string_view part_does;  ///< ends "the part that", for help
};

inline constexpr std::array strategy_slots{
    StrategySlot{"relaxation", "mixop.relaxation/1", "", "turns alphas into weights of the operations"},
    StrategySlot{"hypergradient", "mixop.hypergradient/1", "", "finds the gradients that alphas and weights follow"},
    StrategySlot{"regulariser", "mixop.regulariser/1", "none", "adds a term of the alphas to the validation loss"},
    StrategySlot{"smoothing", "mixop.smoothing/1", "none", "says at which edge weights the weights are trained"},
    StrategySlot{"edge_rule", "mixop.edge_rule/1", "none", "says which channels an edge's operations see"},
    StrategySlot{"schedule", "mixop.schedule/1", "none", "changes the search from epoch to epoch"},
    StrategySlot{"stopper", "mixop.stopper/1", "none", "may end the search after an epoch"},
    StrategySlot{"deriver", "mixop.deriver/1", "", "reads a genotype out of relaxed alphas"},
};

class StrategyPart;
class Relaxation;
class Hypergradient;
class Regulariser;
class Smoothing;
class EdgeRule;
class Schedule;
class Stopper;
class Deriver;

template <class... Interfaces>
struct InterfaceList {
  template <class T>
  static constexpr bool have = (std::is_same_v<T, Interfaces> || ...);
};

/// The interfaces of the slots: no other class can be registered as a part.
using StrategyInterfaces = InterfaceList<Relaxation, Hypergradient, Regulariser, Smoothing, EdgeRule,
                                         Schedule, Stopper, Deriver>;

/// Its place in the table; the table's size for a name that is no slot.
constexpr std::size_t slot_index(std::string_view name) {
  std::size_t i = 0;
  while (i < strategy_slots.size() && strategy_slots[i].name != name) ++i;
  return i;
}

/// The slot that an interface names as its own; a name that is not in the table does not compile.
consteval const StrategySlot& slot_named(std::string_view name) {
  if (slot_index(name) == strategy_slots.size()) throw std::logic_error("no such slot");
  return strategy_slots[slot_index(name)];
}

}  // namespace mixop
