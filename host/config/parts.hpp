#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mixop/slots.hpp"

namespace mixop {

/// Parts that replace those of the named strategy, by slot; empty keeps the strategy's own.
class SlotNames {
 public:
  /// Of a slot of the table.
  std::string& operator[](std::string_view slot) { return names_.at(slot_index(slot)); }
  const std::string& operator[](std::string_view slot) const { return names_.at(slot_index(slot)); }
  friend bool operator==(const SlotNames&, const SlotNames&) = default;

 private:
  std::array<std::string, strategy_slots.size()> names_;
};

/// A name that is in force from an epoch on, counted from 0.
struct ScheduledName {
  std::string name;
  std::int64_t epoch = 0;
  friend bool operator==(const ScheduledName&, const ScheduledName&) = default;
};

/// What a value such as "softmax@0,gumbel@10" says, in its order; a name alone is in force from the start on. Throws
/// usage, beginning with the key, unless names stand in ascending epochs.
std::vector<ScheduledName> schedule_of(const std::string& key, const std::string& text);

/// The name of a schedule in an epoch; empty before its first.
std::string name_in(const std::vector<ScheduledName>& schedule, std::int64_t epoch);

/// A part and its option values; those that are not in it have their defaults.
struct PartChoice {
  std::string part;
  std::map<std::string, std::string> options = {};
  friend bool operator==(const PartChoice&, const PartChoice&) = default;
};

/// By the name of the slot, one for every slot.
using PartChoices = std::map<std::string, PartChoice>;

/// A strategy's name and the parts that replace its own.
struct StrategyNames {
  std::string strategy;
  SlotNames parts;
  friend bool operator==(const StrategyNames&, const StrategyNames&) = default;
};

/// The values of search.strategy and strategy.<slot>, each a name or a schedule.
class StrategySchedule {
 public:
  /// Throws usage where one is none, or no strategy is named for the start.
  explicit StrategySchedule(const StrategyNames& keys);

  /// What is in force in an epoch.
  StrategyNames in(std::int64_t epoch) const;
  /// The epochs in which names change, ascending: 0 is the first.
  const std::vector<std::int64_t>& epochs() const { return epochs_; }

 private:
  std::vector<ScheduledName> strategy_;
  std::array<std::vector<ScheduledName>, strategy_slots.size()> parts_;
  std::vector<std::int64_t> epochs_;
};

/// A named strategy.
struct NamedStrategy {
  PartChoices parts;
  std::string summary;
};

/// Its parts, exchanged where `names` has another one. Option values that the strategy brings stay with the parts that
/// stay.
PartChoices exchanged_parts(const NamedStrategy& strategy, const SlotNames& names);

}  // namespace mixop
