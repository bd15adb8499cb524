#include "host/json/json_writer.hpp"

#include <cmath>

#include "host/json/rapidjson.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

std::string quoted(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

JsonWriter& JsonWriter::item(const std::string& json) {
  if (after_key_) {
    after_key_ = false;
  } else if (!open_.empty()) {
    if (!open_.back().empty) text_ += style_ == Style::pretty ? "," : ", ";
    break_line();
  }
  if (!open_.empty()) open_.back().empty = false;
  text_ += json;
  return *this;
}

void JsonWriter::break_line() {
  if (style_ == Style::pretty) text_ += "\n" + std::string(2 * open_.size(), ' ');
}

JsonWriter& JsonWriter::begin_object() {
  item("{");
  open_.push_back({'}', true});
  return *this;
}

JsonWriter& JsonWriter::begin_list() {
  item("[");
  open_.push_back({']', true});
  return *this;
}

JsonWriter& JsonWriter::end() {
  const Open closed = open_.back();
  open_.pop_back();
  if (!closed.empty) break_line();
  text_ += closed.closing;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  item(quoted(name) + ": ");
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) { return item(quoted(text)); }
JsonWriter& JsonWriter::value(bool truth) { return item(truth ? "true" : "false"); }
JsonWriter& JsonWriter::value(double number) { return item(std::isfinite(number) ? shortest(number) : "null"); }
JsonWriter& JsonWriter::integer(std::int64_t number) { return item(std::to_string(number)); }
JsonWriter& JsonWriter::null() { return item("null"); }
JsonWriter& JsonWriter::raw(const std::string& json) { return item(json); }

JsonWriter& JsonWriter::value(const std::vector<std::string>& texts) {
  begin_list();
  for (const std::string& text : texts) value(std::string_view(text));
  return end();
}

}  // namespace mixop
