#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

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

/// A part and its option values; those that are not in it have their defaults.
struct PartChoice {
  std::string part;
  std::map<std::string, std::string> options = {};
  friend bool operator==(const PartChoice&, const PartChoice&) = default;
};

/// By the name of the slot, one for every slot.
using PartChoices = std::map<std::string, PartChoice>;

/// A named strategy.
struct NamedStrategy {
  PartChoices parts;
  std::string summary;
};

/// Its parts, exchanged where `names` has another one. Option values that the strategy brings stay with the parts that
/// stay.
PartChoices exchanged_parts(const NamedStrategy& strategy, const SlotNames& names);

}  // namespace mixop
