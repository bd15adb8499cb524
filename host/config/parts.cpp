#include "host/config/parts.hpp"

#include <optional>
#include <set>

#include "host/text/numbers.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

[[noreturn]] void refuse(const std::string& key, const std::string& expected, const std::string& text) {
  throw Error(ErrorCode::usage, key + ": expected " + expected + ", found '" + excerpt(text) + "'");
}

}  // namespace

std::vector<ScheduledName> schedule_of(const std::string& key, const std::string& text) {
  std::vector<ScheduledName> schedule;
  if (text.empty()) return schedule;
  for (const std::string& entry : split(text, ',')) {
    const std::size_t at = entry.find('@');
    const std::string name(trimmed(entry.substr(0, at)));
    const std::string number(at == std::string::npos ? "0" : trimmed(entry.substr(at + 1)));
    const std::optional<std::int64_t> epoch = number_of<std::int64_t>(number);
    if (name.empty() || !epoch || *epoch < 0)
      refuse(key, "a name, or names from epochs on such as a@0,b@15", text);
    if (!schedule.empty() && *epoch <= schedule.back().epoch)
      refuse(key, "epochs in ascending order, each once", text);
    schedule.push_back({name, *epoch});
  }
  return schedule;
}

std::string name_in(const std::vector<ScheduledName>& schedule, std::int64_t epoch) {
  std::string name;
  for (const ScheduledName& scheduled : schedule)
    if (scheduled.epoch <= epoch) name = scheduled.name;
  return name;
}

StrategySchedule::StrategySchedule(const StrategyNames& keys)
    : strategy_(schedule_of("search.strategy", keys.strategy)) {
  if (name_in(strategy_, 0).empty())
    refuse("search.strategy", "a strategy from epoch 0 on, such as first_order@0,second_order@15", keys.strategy);
  std::set<std::int64_t> epochs{0};
  const auto add_epochs = [&](const std::vector<ScheduledName>& schedule) {
    for (const ScheduledName& scheduled : schedule) epochs.insert(scheduled.epoch);
  };
  add_epochs(strategy_);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    parts_[i] = schedule_of("strategy." + std::string(strategy_slots[i].name), keys.parts[strategy_slots[i].name]);
    add_epochs(parts_[i]);
  }
  epochs_.assign(epochs.begin(), epochs.end());
}

StrategyNames StrategySchedule::in(std::int64_t epoch) const {
  StrategyNames names{name_in(strategy_, epoch), {}};
  for (std::size_t i = 0; i < parts_.size(); ++i) names.parts[strategy_slots[i].name] = name_in(parts_[i], epoch);
  return names;
}

PartChoices exchanged_parts(const NamedStrategy& strategy, const SlotNames& names) {
  PartChoices parts = strategy.parts;
  for (const StrategySlot& slot : strategy_slots) {
    PartChoice& own = parts[std::string(slot.name)];
    if (const std::string& other = names[slot.name]; !other.empty() && other != own.part) own = {other};
  }
  return parts;
}

}  // namespace mixop
