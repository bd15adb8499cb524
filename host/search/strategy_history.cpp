#include "host/search/strategy_history.hpp"

#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/search/stored_fields.hpp"
#include "host/text/printable.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;

/// Every field, said once.
template <IsStored<StrategyChange> Change, class Visitor>
void visit(Change& change, Visitor&& v) {
  v("step", change.step);
  v("epoch", change.epoch);
  v("strategy", change.strategy);
  for (const StrategySlot& slot : strategy_slots) v(std::string(slot.name), change.parts.at(std::string(slot.name)).part);
  v("options", change.parts);
}

class HistoryWriter {
 public:
  HistoryWriter() { json_.begin_object(); }
  template <class Value>
  void operator()(const std::string& name, const Value& value) {
    json_.member(name, value);
  }
  void operator()(const std::string& name, const PartChoices& parts) {
    json_.key(name).begin_object();
    for (const auto& [slot, choice] : parts) {
      if (choice.options.empty()) continue;
      json_.key(slot).begin_object();
      for (const auto& [option, value] : choice.options) json_.member(option, value);
      json_.end();
    }
    json_.end();
  }
  std::string text() { return json_.end().text(); }

 private:
  JsonWriter json_{JsonWriter::Style::compact};
};

class HistoryReader {
 public:
  HistoryReader(const JsonValue& json, const std::string& where) : json_(json), where_(where) {}
  void operator()(const std::string& name, std::int64_t& value) {
    value = member(json_, name, Kind::integer, "a whole number").integer;
  }
  void operator()(const std::string& name, std::string& value) { value = member(json_, name, Kind::text, "a text").text; }
  void operator()(const std::string& name, PartChoices& parts) {
    const JsonValue& options = member(json_, name, Kind::object, "an object");
    for (const JsonMember& own : options.members) {
      const auto part = parts.find(own.key);
      if (part == parts.end())
        throw Error(ErrorCode::bad_data, where_ + ": unknown slot '" + excerpt(own.key) + "' in '" + name + "'");
      const JsonValue& values = member(options, own.key, Kind::object, "an object");
      for (const JsonMember& value : values.members)
        part->second.options[value.key] = member(values, value.key, Kind::text, "a text").text;
    }
  }

 private:
  const JsonValue& member(const JsonValue& json, const std::string& key, Kind kind, const char* expected) const {
    const JsonValue* found = json.find(key);
    if (found != nullptr && found->is(kind)) return *found;
    throw Error(ErrorCode::bad_data, where_ + ": expected " + expected + " in '" + key + "', found " +
                                         (found == nullptr ? "nothing" : found->describe()));
  }

  const JsonValue& json_;
  const std::string& where_;
};

}  // namespace

std::string to_json(const StrategyChange& change) {
  HistoryWriter writer;
  visit(change, writer);
  return writer.text();
}

StrategyChange strategy_change(const std::string& text, const std::string& where) {
  const JsonValue json = parse_json(text, where, ErrorCode::bad_data);
  StrategyChange change;
  for (const StrategySlot& slot : strategy_slots) change.parts[std::string(slot.name)];
  visit(change, HistoryReader(json, where));
  return change;
}

}  // namespace mixop
