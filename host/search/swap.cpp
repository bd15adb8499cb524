#include "host/search/swap.hpp"

#include <algorithm>
#include <set>

#include "host/config/schema.hpp"
#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

constexpr const char* kRequest = "the request";

std::string text_in(const JsonValue& json, const std::string& key) {
  const JsonValue* found = json.find(key);
  if (found == nullptr) return "";
  if (!found->is(JsonValue::Kind::text))
    throw Error(ErrorCode::usage, std::string(kRequest) + ": expected a text in '" + key + "', found " + found->describe());
  return found->text;
}

/// Every slot whose part is called so.
std::vector<std::string> slots_of(const PartChoices& parts, const std::string& name) {
  std::vector<std::string> slots;
  for (const auto& [slot, choice] : parts)
    if (choice.part == name) slots.push_back(slot);
  return slots;
}

std::string names_of(const PartChoices& parts) {
  std::vector<std::string> names;
  for (const auto& [slot, choice] : parts)
    if (choice.part != "none" && std::find(names.begin(), names.end(), choice.part) == names.end())
      names.push_back(choice.part);
  return joined(names);
}

/// "softmax.temperature=2"
void set_option(PartChoices& parts, const OptionCatalog& catalog, const std::string& assignment) {
  const std::string where = "--set " + excerpt(assignment, 200);
  const std::size_t equals = assignment.find('='), dot = assignment.rfind('.', equals);
  if (equals == std::string::npos || dot == std::string::npos)
    throw Error(ErrorCode::usage, where + ": expected part.option=value, as in --set softmax.temperature=2");
  const std::string component(trimmed(assignment.substr(0, dot)));
  const std::string option(trimmed(assignment.substr(dot + 1, equals - dot - 1)));
  const std::vector<std::string> slots = slots_of(parts, component);
  if (slots.empty())
    throw Error(ErrorCode::usage, where + ": the search would have no part '" + excerpt(component) + "'; it would have " +
                                      names_of(parts) + ", and a swap changes options of parts alone");
  const auto known = catalog.components.find(component);
  const std::vector<MixopOptionSpec> none;
  const auto& specs = known == catalog.components.end() ? none : known->second;
  const auto spec = std::find_if(specs.begin(), specs.end(), [&](const MixopOptionSpec& own) { return own.name == option; });
  if (spec == specs.end()) {
    std::vector<std::string> names;
    for (const MixopOptionSpec& own : specs) names.emplace_back(own.name);
    throw Error(ErrorCode::usage, where + ": " + component + " has no option '" + excerpt(option) + "'" +
                                      (names.empty() ? "; it has none" : "; it has " + joined(names)));
  }
  const KeySpec key = option_key(component, *spec);
  const std::string value = text_of_value(key, value_from_text(key, trimmed(assignment.substr(equals + 1)), where));
  for (const std::string& slot : slots)
    if (PartChoice& choice = parts.at(slot); choice.options.count(option) != 0) choice.options[option] = value;
}

}  // namespace

std::string to_json(const SwapRequest& request) {
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object().member("strategy", request.strategy);
  for (const StrategySlot& slot : strategy_slots) json.member(std::string(slot.name), request.parts[slot.name]);
  json.key("set").begin_list();
  for (const std::string& assignment : request.sets) json.value(assignment);
  return json.end().end().text();
}

SwapRequest swap_request(const std::string& text) {
  const JsonValue json = parse_json(text, kRequest, ErrorCode::usage);
  if (!json.is(JsonValue::Kind::object))
    throw Error(ErrorCode::usage, std::string(kRequest) + ": expected an object, found " + json.describe());
  std::set<std::string> known{"strategy", "set"};
  for (const StrategySlot& slot : strategy_slots) known.emplace(slot.name);
  for (const JsonMember& member : json.members)
    if (known.count(member.key) == 0)
      throw Error(ErrorCode::usage, std::string(kRequest) + ": unknown member '" + excerpt(member.key) + "'");
  SwapRequest request;
  request.strategy = text_in(json, "strategy");
  for (const StrategySlot& slot : strategy_slots) request.parts[slot.name] = text_in(json, std::string(slot.name));
  const JsonValue* sets = json.find("set");
  if (sets != nullptr && !sets->is(JsonValue::Kind::list))
    throw Error(ErrorCode::usage, std::string(kRequest) + ": expected a list in 'set', found " + sets->describe());
  if (sets != nullptr)
    for (const JsonValue& item : sets->items) {
      if (!item.is(JsonValue::Kind::text))
        throw Error(ErrorCode::usage, std::string(kRequest) + ": expected texts in 'set', found " + item.describe());
      request.sets.push_back(item.text);
    }
  return request;
}

StrategyChange swapped(const PluginRegistry& plugins, const OptionCatalog& catalog, const StrategyChange& in_force,
                       const SwapRequest& request) {
  StrategyChange change{in_force.step, in_force.epoch, request.strategy.empty() ? in_force.strategy : request.strategy,
                        in_force.parts};
  if (!request.strategy.empty())
    for (const auto& [slot, choice] : plugins.strategy(request.strategy).parts) {
      PartChoice& own = change.parts.at(slot);
      if (own.part != choice.part) own = choice;
      for (const auto& [option, value] : choice.options) own.options[option] = value;
    }
  for (const StrategySlot& slot : strategy_slots) {
    PartChoice& own = change.parts.at(std::string(slot.name));
    if (const std::string& name = request.parts[slot.name]; !name.empty() && name != own.part) own = {name};
    own = with_options(plugins, slot, std::move(own), {});
  }
  for (const std::string& assignment : request.sets) set_option(change.parts, catalog, assignment);
  return change;
}

std::string difference(const StrategyChange& before, const StrategyChange& after) {
  std::vector<std::string> changes;
  if (before.strategy != after.strategy) changes.push_back(after.strategy + " (was " + before.strategy + ")");
  for (const auto& [slot, now] : after.parts) {
    const PartChoice& old = before.parts.at(slot);
    if (now.part != old.part) changes.push_back(slot + "=" + now.part + " (was " + old.part + ")");
    for (const auto& [option, value] : now.options) {
      const auto found = old.options.find(option);
      if (now.part == old.part && (found == old.options.end() || found->second != value))
        changes.push_back(now.part + "." + option + "=" + value +
                          (found == old.options.end() ? "" : " (was " + found->second + ")"));
    }
  }
  return joined(changes);
}

}  // namespace mixop
