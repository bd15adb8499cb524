#include "host/config/parts.hpp"

namespace mixop {

PartChoices exchanged_parts(const NamedStrategy& strategy, const SlotNames& names) {
  PartChoices parts = strategy.parts;
  for (const StrategySlot& slot : strategy_slots) {
    PartChoice& own = parts[std::string(slot.name)];
    if (const std::string& other = names[slot.name]; !other.empty() && other != own.part) own = {other};
  }
  return parts;
}

}  // namespace mixop
