#include "host/json/fields.hpp"

#include <algorithm>

#include "host/text/nearest.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {

using Kind = JsonValue::Kind;

Fields::Fields(const JsonValue& object, const std::string& file, std::initializer_list<const char*> known,
               const std::string& what)
    : object_(object), file_(file) {
  if (!object.is(Kind::object))
    refuse(object, (what.empty() ? "" : what + ": ") + "expected an object, found " + object.describe());
  const std::vector<std::string> names(known.begin(), known.end());
  for (const JsonMember& member : object.members)
    if (std::find(names.begin(), names.end(), member.key) == names.end())
      throw Error(ErrorCode::usage, json_place(file_, member) + ": unknown key '" + excerpt(member.key) + "'" +
                                        did_you_mean(member.key, names) + " (known: " + joined(names) + ")");
}

const JsonValue& Fields::at(const char* key) const {
  const JsonValue* const value = object_.find(key);
  if (value == nullptr) refuse(object_, std::string("lacks ") + key);
  return *value;
}

std::string Fields::text(const char* key) const {
  const JsonValue& value = at(key);
  if (!value.is(Kind::text) || value.text.empty())
    refuse(value, std::string(key) + ": expected text, found " + value.describe());
  return value.text;
}

std::int64_t Fields::integer(const char* key, std::int64_t least, std::int64_t most, const std::string& unit) const {
  const JsonValue& value = at(key);
  if (!value.is(Kind::integer) || value.integer < least || value.integer > most)
    refuse(value, std::string(key) + ": expected a number" + unit + " from " + std::to_string(least) + " to " +
                      std::to_string(most) + ", found " + value.describe());
  return value.integer;
}

std::optional<double> Fields::optional_number(const char* key) const {
  if (!has(key)) return std::nullopt;
  const JsonValue& value = at(key);
  if (!value.is_number()) refuse(value, std::string(key) + ": expected a number, found " + value.describe());
  return value.number;
}

const std::vector<JsonValue>& Fields::list(const char* key) const {
  const JsonValue& value = at(key);
  if (!value.is(Kind::list) || value.items.empty())
    refuse(value, std::string(key) + ": expected a list that is not empty, found " + value.describe());
  return value.items;
}

std::vector<std::string> Fields::texts(const char* key) const {
  std::vector<std::string> texts;
  for (const JsonValue& item : list(key)) {
    if (!item.is(Kind::text)) refuse(item, std::string(key) + ": expected text, found " + item.describe());
    texts.push_back(item.text);
  }
  return texts;
}

void Fields::refuse(const JsonValue& value, const std::string& how) const {
  throw Error(ErrorCode::usage, json_place(file_, value) + ": " + how);
}

}  // namespace mixop
