#include "host/config/schema.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "host/config/keys.hpp"
#include "host/text/numbers.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "mixop/utf8.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;
using keys::kAnyCount;

template <class Member>
constexpr KeyType key_type_of() {
  if constexpr (std::is_same_v<Member, bool>)
    return KeyType::boolean;
  else if constexpr (std::is_same_v<Member, std::int64_t>)
    return KeyType::integer;
  else if constexpr (std::is_same_v<Member, double>)
    return KeyType::real;
  else if constexpr (std::is_same_v<Member, std::string>)
    return KeyType::text;
  else if constexpr (std::is_same_v<Member, std::vector<std::string>>)
    return KeyType::list;
  else {
    static_assert(std::is_same_v<Member, std::vector<double>>, "a key's member is of another type");
    return KeyType::reals;
  }
}

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(double value) { return shortest(value); }
std::string text_of(const std::string& value) { return value; }
std::string text_of(const std::vector<std::string>& values) { return joined(values, ","); }
std::string text_of(const std::vector<double>& values) {
  std::vector<std::string> items;
  for (const double value : values) items.push_back(shortest(value));
  return joined(items, ",");
}

/// Collects the keys of a kind in the order of the configuration's JSON. Their defaults are the values at hand.
struct SpecCollector {
  RunKind kind;
  std::vector<KeySpec>& specs;
  std::string prefix = {};
  std::optional<RunKind> owner = {};

  template <class Member>
  void operator()(const char* name, const Member& member, KeySpec spec) {
    if (owner) spec.only = owner;
    if (spec.only && *spec.only != kind) return;
    spec.key = prefix + name;
    spec.type = key_type_of<Member>();
    spec.default_text = text_of(member);
    specs.push_back(std::move(spec));
  }
  template <class Keys>
  void section(const std::string& name, const Keys& keys, std::optional<RunKind> only) {
    if (!only || *only == kind) visit(keys, SpecCollector{kind, specs, name + ".", only});
  }
};

bool has_lower(const KeySpec& spec) { return spec.least > std::numeric_limits<double>::lowest(); }
bool has_upper(const KeySpec& spec) { return spec.most < kAnyCount; }

/// Numbers as people write them: 1000000, not 1e+06.
std::string limit_text(double value) {
  const bool whole = value == std::floor(value) && std::fabs(value) < 1e15;
  return whole ? std::to_string(static_cast<std::int64_t>(value)) : shortest(value);
}

std::string range_text(const KeySpec& spec) {
  if (has_lower(spec) && has_upper(spec))
    return " from " + limit_text(spec.least) + (spec.below_most ? " to below " : " to ") + limit_text(spec.most);
  if (has_lower(spec))
    return spec.type == KeyType::integer ? " from " + limit_text(spec.least) + " to 9223372036854775807"
                                         : " of at least " + limit_text(spec.least);
  return "";
}

bool in_range(const KeySpec& spec, double value) {
  return std::isfinite(value) && value >= spec.least && (spec.below_most ? value < spec.most : value <= spec.most);
}

/// "cuda:N" among the choices stands for any device number.
bool is_choice(const KeySpec& spec, const std::string& text) {
  if (spec.choices.empty() || std::count(spec.choices.begin(), spec.choices.end(), text) > 0) return text != "cuda:N";
  if (std::count(spec.choices.begin(), spec.choices.end(), "cuda:N") == 0 || text.rfind("cuda:", 0) != 0) return false;
  const std::string number = text.substr(5);
  const bool plain = number.size() == 1 || (!number.empty() && number[0] != '0');
  return plain && number.size() <= 3 && number.find_first_not_of("0123456789") == std::string::npos;
}

bool is_clean_text(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

/// Archives and JSON hold UTF-8 alone: what is not would be written and never read again.
void check_utf8(const KeySpec& spec, const std::string& text, const std::string& where) {
  for (std::size_t at = 0, bytes = 0; at < text.size(); at += bytes) {
    bytes = code_point_at(text, at).bytes;
    if (bytes == 0)
      throw Error(ErrorCode::usage, where + ": " + spec.key + ": expected text in UTF-8, found bytes that are not at " +
                                        "offset " + std::to_string(at) + "; use a name in UTF-8");
  }
}

bool is_item(const JsonValue& item) {
  return item.is(Kind::text) && !item.text.empty() && is_clean_text(item.text) &&
         item.text.find_first_of(", \"") == std::string::npos;
}

void check_list(const KeySpec& spec, const JsonValue& value, const std::string& where) {
  std::set<std::string> seen;
  for (const JsonValue& item : value.items) {
    if (!is_item(item))
      throw Error(ErrorCode::usage, where + ": " + spec.key + ": expected names without blanks or commas, found " +
                                        item.describe() + " among them");
    if (!seen.insert(item.text).second)
      throw Error(ErrorCode::usage, where + ": " + spec.key + ": '" + excerpt(item.text) + "' is listed twice; remove one");
  }
}

bool fits(const KeySpec& spec, const JsonValue& value) {
  switch (spec.type) {
    case KeyType::boolean:
      return value.is(Kind::boolean);
    case KeyType::integer:
      return value.is(Kind::integer) && in_range(spec, value.number);
    case KeyType::real:
      return value.is_number() && in_range(spec, value.number);
    case KeyType::text:
      return value.is(Kind::text) && is_clean_text(value.text) && is_choice(spec, value.text);
    case KeyType::list:
      return value.is(Kind::list) && !(static_cast<double>(value.items.size()) < spec.least);
    case KeyType::reals:
      return value.is(Kind::list) && value.items.size() == spec.count &&
             std::all_of(value.items.begin(), value.items.end(),
                         [&](const JsonValue& item) { return item.is_number() && in_range(spec, item.number); });
  }
  return false;
}

JsonValue text_value(std::string_view text) {
  JsonValue made;
  made.kind = Kind::text;
  made.text = text;
  return made;
}

/// An integer or a real where the text is one, else the text: check_value then says what was expected.
JsonValue number_value(std::string_view text) {
  JsonValue made = text_value(text);
  if (const auto integer = number_of<std::int64_t>(text)) {
    made.kind = Kind::integer;
    made.integer = *integer;
    made.number = static_cast<double>(*integer);
  } else if (const auto real = number_of<double>(text); real && std::isfinite(*real)) {
    made.kind = Kind::real;
    made.number = *real;
  }
  return made;
}

JsonValue boolean_value(std::string_view text) {
  JsonValue made = text_value(text);
  if (text != "true" && text != "false") return made;
  made.kind = Kind::boolean;
  made.boolean = text == "true";
  return made;
}

JsonValue list_value(std::string_view text, JsonValue (*item)(std::string_view)) {
  JsonValue made;
  made.kind = Kind::list;
  for (const std::string& part : split(text, ',')) made.items.push_back(item(part));
  return made;
}

std::string or_empty(const std::string& text) { return text.empty() ? "empty" : text; }

}  // namespace

const char* type_name(KeyType type) {
  switch (type) {
    case KeyType::boolean:
      return "boolean";
    case KeyType::integer:
      return "integer";
    case KeyType::real:
      return "real";
    case KeyType::text:
      return "text";
    case KeyType::list:
      return "list";
    case KeyType::reals:
      return "reals";
  }
  return "";
}

const char* run_kind_name(RunKind kind) { return kind == RunKind::search ? "search" : "train"; }

const std::vector<KeySpec>& config_keys(RunKind kind) {
  const auto collected = [](RunKind of) {
    std::vector<KeySpec> specs;
    const Config defaults = default_config(of);
    visit(defaults, SpecCollector{of, specs});
    return specs;
  };
  static const std::vector<KeySpec> search = collected(RunKind::search), train = collected(RunKind::train);
  return kind == RunKind::search ? search : train;
}

KeySpec option_key(const std::string& component, const MixopOptionSpec& option) {
  KeySpec spec;
  spec.key = component + "." + option.name;
  spec.help = option.help == nullptr ? "" : option.help;
  spec.default_text = option.default_value == nullptr ? "" : option.default_value;
  switch (option.type) {
    case MIXOP_OPTION_BOOL:
      spec.type = KeyType::boolean;
      break;
    case MIXOP_OPTION_INTEGER:
      spec.type = KeyType::integer;
      break;
    case MIXOP_OPTION_REAL:
      spec.type = KeyType::real;
      break;
    case MIXOP_OPTION_LIST:
      spec.type = KeyType::list;
      break;
    default:
      spec.type = KeyType::text;
  }
  return spec;
}

std::map<std::string, std::string> default_keys(const SpaceDefaults& defaults, const std::string& space) {
  std::map<std::string, std::string> wanted = defaults.keys;
  if (!defaults.operations.empty()) wanted["space.ops"] = joined(defaults.operations, ",");
  wanted["search.strategy"] = defaults.strategy;
  for (const auto& [key, text] : wanted) {
    const auto& known = config_keys(RunKind::search);
    const auto spec = std::find_if(known.begin(), known.end(), [&](const KeySpec& own) { return own.key == key; });
    const std::string where = "the space '" + space + "': its default " + key + "=" + text;
    if (spec == known.end())
      throw Error(ErrorCode::plugin, where + ": a search has no such key; the plugin must be fixed");
    try {
      (void)value_from_text(*spec, text, where);
    } catch (const Error& error) {
      throw Error(ErrorCode::plugin, std::string(error.what()) + "; the plugin must be fixed");
    }
  }
  return wanted;
}

std::vector<KeySpec> all_keys(const OptionCatalog& catalog, RunKind kind) {
  std::vector<KeySpec> keys = config_keys(kind);
  for (const auto& [component, options] : catalog.components)
    for (const MixopOptionSpec& option : options) keys.push_back(option_key(component, option));
  return keys;
}

std::string allowed_values(const KeySpec& spec) {
  switch (spec.type) {
    case KeyType::boolean:
      return "true or false";
    case KeyType::integer:
      return "a whole number" + range_text(spec);
    case KeyType::real:
      return "a number" + range_text(spec);
    case KeyType::text:
      return spec.choices.empty() ? "text" : "one of " + joined(spec.choices);
    case KeyType::list:
      return spec.least > 0 ? "a list of at least one name" : "a list of names";
    case KeyType::reals:
      return std::to_string(spec.count) + " numbers" + range_text(spec);
  }
  return "";
}

void check_value(const KeySpec& spec, const JsonValue& value, const std::string& where) {
  check_utf8(spec, value.text, where);
  for (const JsonValue& item : value.items) check_utf8(spec, item.text, where);
  if (!fits(spec, value)) {
    std::string found = value.describe();
    if (spec.type == KeyType::reals && value.is(Kind::list) && value.items.size() == spec.count)
      for (const JsonValue& item : value.items) found += (&item == &value.items[0] ? ": " : ", ") + item.describe();
    const bool controls = spec.type == KeyType::text && spec.choices.empty() && value.is(Kind::text);
    throw Error(ErrorCode::usage, where + ": " + spec.key + ": expected " + allowed_values(spec) +
                                      (controls ? " without control characters" : "") + ", found " + found);
  }
  if (spec.type == KeyType::list) check_list(spec, value, where);
}

JsonValue value_from_text(const KeySpec& spec, std::string_view text, const std::string& where) {
  JsonValue value;
  switch (spec.type) {
    case KeyType::boolean:
      value = boolean_value(text);
      break;
    case KeyType::integer:
    case KeyType::real:
      value = number_value(text);
      break;
    case KeyType::text:
      value = text_value(text);
      break;
    case KeyType::list:
      value = list_value(text, text_value);
      break;
    case KeyType::reals:
      value = list_value(text, number_value);
      break;
  }
  check_value(spec, value, where);
  return value;
}

std::string text_of_value(const KeySpec& spec, const JsonValue& value) {
  switch (spec.type) {
    case KeyType::boolean:
      return value.boolean ? "true" : "false";
    case KeyType::integer:
      return std::to_string(value.integer);
    case KeyType::real:
      return shortest(value.number);
    case KeyType::text:
      return value.text;
    case KeyType::list:
    case KeyType::reals:
      break;
  }
  std::vector<std::string> items;
  for (const JsonValue& item : value.items) items.push_back(item.is_number() ? shortest(item.number) : item.text);
  return joined(items, ",");
}

namespace {

/// " (nasbench201: 15)", where spaces want something else.
std::string defaults_of_spaces(const OptionCatalog& catalog, const KeySpec& spec) {
  std::string text;
  for (const auto& [space, wanted] : catalog.spaces)
    if (const auto own = wanted.find(spec.key); own != wanted.end() && own->second != spec.default_text)
      text += (text.empty() ? " (" : "; ") + space + ": " + own->second;
  return text.empty() ? "" : text + ")";
}

}  // namespace

std::string describe_keys(const OptionCatalog& catalog, RunKind kind) {
  std::string lines;
  for (const KeySpec& spec : all_keys(catalog, kind))
    lines += "  " + spec.key + "\n      " + spec.help + "\n      " + allowed_values(spec) + "; default " +
             or_empty(spec.default_text) + defaults_of_spaces(catalog, spec) + "\n";
  return lines;
}

}  // namespace mixop
