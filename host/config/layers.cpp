#include "host/config/layers.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "host/config/keys.hpp"
#include "host/text/nearest.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;
bool is_reserved(const std::string& key) {
  return key == "summary" || key == "source" || key == "command" || key == "preset";
}

bool is_below(const std::string& key, const std::string& section) { return key.rfind(section + ".", 0) == 0; }

void set(bool& member, const JsonValue& value) { member = value.boolean; }
void set(std::int64_t& member, const JsonValue& value) { member = value.integer; }
void set(double& member, const JsonValue& value) { member = value.number; }
void set(std::string& member, const JsonValue& value) { member = value.text; }
template <class Item>
void set(std::vector<Item>& member, const JsonValue& value) {
  member.resize(value.items.size());
  for (std::size_t i = 0; i < member.size(); ++i) set(member[i], value.items[i]);
}

/// Sets the keys of a configuration to what `value_of` says; nothing is said of those of another kind.
template <class ValueOf>
struct Filler {
  const ValueOf& value_of;
  std::string prefix = {};

  template <class Member>
  void operator()(const char* name, Member& member, const KeySpec&) {
    if (const std::optional<JsonValue> value = value_of(prefix + name)) set(member, *value);
  }
  template <class Keys>
  void section(const std::string& name, Keys& keys, std::optional<RunKind>) {
    visit(keys, Filler{value_of, name + "."});
  }
};

/// A default that breaks its own type is the fault of the plugin that declares it.
JsonValue default_value(const KeySpec& spec) {
  try {
    return value_from_text(spec, spec.default_text, "a declared default");
  } catch (const Error& e) {
    throw Error(ErrorCode::plugin, std::string(e.what()) + "; the plugin must be fixed");
  }
}

}  // namespace

ConfigLayers::ConfigLayers(const OptionCatalog& catalog, RunKind kind) : catalog_(catalog), kind_(kind) {
  const auto add = [&](KeySpec spec, const std::string& component, const std::string& option) {
    JsonValue value = default_value(spec);
    index_[spec.key] = keys_.size();
    keys_.push_back({std::move(spec), component, option, std::move(value)});
  };
  for (const KeySpec& spec : config_keys(kind)) add(spec, "", "");
  for (const auto& [component, options] : catalog.components)
    for (const MixopOptionSpec& option : options) add(option_key(component, option), component, option.name);
}

ConfigLayers::Key* ConfigLayers::find(const std::string& key) {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &keys_[found->second];
}

bool ConfigLayers::is_section(const std::string& name) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const Key& key) { return is_below(key.spec.key, name); });
}

/// A key that the other command alone reads, or a group of such keys.
void ConfigLayers::refuse_key_of_other_kind(const std::string& key, const std::string& where) const {
  const RunKind other = kind_ == RunKind::search ? RunKind::train : RunKind::search;
  const std::string own_name = run_kind_name(kind_), other_name = run_kind_name(other);
  for (const KeySpec& spec : config_keys(other)) {
    if (spec.only != other || (spec.key != key && !is_below(spec.key, key))) continue;
    const std::string counterpart = own_name + key.substr(std::min(key.size(), other_name.size()));
    const bool has_counterpart = is_below(key, other_name) && index_.count(counterpart) != 0;
    throw Error(ErrorCode::usage, where + ": '" + excerpt(key) + "' belongs to mixop " + other_name +
                                      ", not to mixop " + own_name + "; " +
                                      (has_counterpart ? "set " + counterpart : "leave it out"));
  }
}

void ConfigLayers::unknown(const std::string& key, const std::string& where) const {
  if (is_section(key))
    throw Error(ErrorCode::usage,
                where + ": '" + key + "' is a group of keys, not a key; name one, as in '" +
                    std::find_if(keys_.begin(), keys_.end(),
                                 [&](const Key& candidate) { return is_below(candidate.spec.key, key); })
                        ->spec.key +
                    "'");
  refuse_key_of_other_kind(key, where);
  for (const auto& [name, options] : catalog_.operators)
    if (key == name || is_below(key, name))
      throw Error(ErrorCode::usage, where + ": '" + excerpt(key) +
                                        "' is no key: an operator's options stand in its name, " + name + ":" +
                                        options.front().name + "=" + options.front().default_value +
                                        ", wherever operations are named, as in space.ops");
  std::vector<std::string> known, group, outlined;
  for (const Key& candidate : keys_) {
    const std::string& own = candidate.spec.key;
    known.push_back(own);
    if (own.rfind(key.substr(0, key.find('.') + 1), 0) == 0) group.push_back(own);
    const std::size_t dot = own.find('.');
    const std::string outline = dot == std::string::npos ? own : own.substr(0, dot) + ".*";
    if (outlined.empty() || outlined.back() != outline) outlined.push_back(outline);
  }
  const bool grouped = key.find('.') != std::string::npos && !group.empty();
  throw Error(ErrorCode::usage, where + ": unknown key '" + excerpt(key) + "'" + did_you_mean(key, known) +
                                    " (known: " + joined(grouped ? group : outlined) +
                                    (grouped ? ")" : "; --keys lists them all)"));
}

void ConfigLayers::add_object(const JsonValue& root, const std::string& file) {
  if (!root.is(Kind::object))
    throw Error(ErrorCode::usage, json_place(file, root) + ": expected an object of keys, found " + root.describe());
  seen_.clear();
  add_members(root, "", file);
}

void ConfigLayers::add_members(const JsonValue& object, const std::string& prefix, const std::string& file) {
  for (const JsonMember& member : object.members) {
    const std::string name = prefix + member.key, where = json_place(file, member);
    if (prefix.empty() && is_reserved(name)) continue;
    if (member.value.is(Kind::object) && is_section(name)) {
      add_members(member.value, name + ".", file);
      continue;
    }
    Key* key = find(name);
    if (key == nullptr) {
      if (member.value.is(Kind::object) && !member.value.members.empty()) {
        const JsonMember& inner = member.value.members.front();
        unknown(name + "." + inner.key, json_place(file, inner));
      }
      unknown(name, where);
    }
    if (const auto [first, fresh] = seen_.emplace(name, where); !fresh)
      throw Error(ErrorCode::usage, where + ": key '" + excerpt(name) + "' is already given at " + first->second);
    JsonValue value = member.value;
    // An option that is a text, such as a size of "48" or "20x31", may be written as the number that it is.
    if (!key->component.empty() && key->spec.type == KeyType::text && value.is_number()) value.kind = Kind::text;
    check_value(key->spec, value, json_place(file, value));
    key->value = std::move(value);
    key->given = true;
    key->where = where;
    key->is_set = false;
  }
}

JsonValue ConfigLayers::current(const Key& key) const {
  const auto name = index_.find("space.name");
  if (key.given || name == index_.end()) return key.value;
  const auto space = catalog_.spaces.find(keys_[name->second].value.text);
  if (space == catalog_.spaces.end()) return key.value;
  const auto wanted = space->second.find(key.spec.key);
  if (wanted == space->second.end()) return key.value;
  return value_from_text(key.spec, wanted->second, "a default of the space " + space->first);
}

JsonValue ConfigLayers::edited_list(const Key& key, const std::string& text, const std::string& where) const {
  KeySpec edits = key.spec;
  edits.least = 1;
  JsonValue list = current(key);
  for (const JsonValue& item : value_from_text(edits, text.substr(1), where).items) {
    const auto at = std::find_if(list.items.begin(), list.items.end(),
                                 [&](const JsonValue& present) { return present.text == item.text; });
    const bool present = at != list.items.end();
    if (text[0] == '+' && present)
      throw Error(ErrorCode::usage, where + ": '" + excerpt(item.text) + "' is already in " + key.spec.key + " (" +
                                        text_of_value(key.spec, list) + ")");
    if (text[0] == '-' && !present)
      throw Error(ErrorCode::usage, where + ": '" + excerpt(item.text) + "' is not in " + key.spec.key + " (" +
                                        text_of_value(key.spec, list) + ")");
    if (present)
      list.items.erase(at);
    else
      list.items.push_back(item);
  }
  check_value(key.spec, list, where);
  return list;
}

void ConfigLayers::add_set(const std::string& assignment) {
  const std::string where = "--set " + excerpt(assignment, 200);
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw Error(ErrorCode::usage, where + ": expected key=value, as in --set space.channels=16");
  const std::string name(trimmed(std::string_view(assignment).substr(0, equals)));
  const std::string text(trimmed(std::string_view(assignment).substr(equals + 1)));
  Key* key = find(name);
  if (key == nullptr) unknown(name, where);
  const bool edits = key->spec.type == KeyType::list && !text.empty() && (text[0] == '+' || text[0] == '-');
  key->value = edits ? edited_list(*key, text, where) : value_from_text(key->spec, text, where);
  key->given = true;
  key->where = where;
  key->is_set = true;
}

Config default_config(RunKind kind, const std::string& space, const OptionCatalog& catalog) {
  ConfigLayers layers(catalog, kind);
  layers.add_set("space.name=" + space);
  return layers.config();
}

Config ConfigLayers::config() const {
  const auto value_of = [this](const std::string& key) -> std::optional<JsonValue> {
    const auto found = index_.find(key);
    return found == index_.end() ? std::nullopt : std::optional(current(keys_[found->second]));
  };
  Config made = default_config(kind_);
  visit(made, Filler<decltype(value_of)>{value_of});
  add_options(made);
  return made;
}

void ConfigLayers::add_options(Config& config) const {
  const std::set<std::string> used = components_of(config, catalog_);
  for (const Key& key : keys_) {
    if (key.component.empty()) continue;
    if (used.count(key.component) != 0)
      config.options[key.component][key.option] = {key.spec.type, text_of_value(key.spec, key.value)};
    else if (key.given && (key.is_set || kind_ == RunKind::train))
      throw Error(ErrorCode::usage, key.where + ": this run has no part '" + key.component + "'; it has " +
                                        joined({used.begin(), used.end()}) +
                                        ", so leave the option out or choose that part");
  }
  add_brought_options(config);
}

/// Values of the strategies' own where no layer has one. An option has one value for the whole run.
void ConfigLayers::add_brought_options(Config& config) const {
  if (kind_ == RunKind::train) return;
  const StrategySchedule strategies = strategies_of(config);
  std::map<std::string, std::string> brought;  // an option's key and who brings it
  for (const std::int64_t epoch : strategies.epochs()) {
    const StrategyNames names = strategies.in(epoch);
    const auto named = catalog_.strategies.find(names.strategy);
    if (named == catalog_.strategies.end()) continue;
    for (const auto& [slot, choice] : exchanged_parts(named->second, names.parts)) {
      for (const auto& [option, text] : choice.options) {
        const std::string key = choice.part + "." + option;
        const auto found = index_.find(key);
        if (found == index_.end() || keys_[found->second].given) continue;
        const KeySpec& spec = keys_[found->second].spec;
        const std::string value = text_of_value(spec, value_from_text(spec, text, "strategy '" + names.strategy + "'"));
        ComponentOption& own = config.options[choice.part][option];
        if (const auto other = brought.find(key); other != brought.end() && own.text != value)
          throw Error(ErrorCode::usage, "search.strategy: " + other->second + " brings " + key + "=" + own.text + " and " +
                                            names.strategy + " brings " + value + "; say which by --set " + key + "=...");
        brought.emplace(key, names.strategy);
        own = {spec.type, value};
      }
    }
  }
}

}  // namespace mixop
