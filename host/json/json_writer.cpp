#include "host/json/json_writer.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "host/json/rapidjson.hpp"
#include "host/text/text.hpp"
#include "mixop/utf8.hpp"

namespace mixop {
namespace {

std::string quoted(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return printable_json({buffer.GetString(), buffer.GetSize()});
}

void append_escape(std::string& json, std::uint32_t unit) {
  char text[8];
  std::snprintf(text, sizeof text, "\\u%04x", unit);
  json += text;
}

/// A code point that no terminal shows, as JSON escapes it: in two halves above 16 bits.
void append_escaped(std::string& json, std::uint32_t value) {
  if (value >= 0x10000) append_escape(json, 0xd7c0 + (value >> 10));
  append_escape(json, value >= 0x10000 ? 0xdc00 + (value & 0x3ff) : value);
}

}  // namespace

std::string printable_json(std::string_view json) {
  std::string shown;
  shown.reserve(json.size());
  for (std::size_t at = 0; at < json.size();) {
    const CodePoint point = code_point_at(json, at);
    const std::size_t bytes = std::max<std::size_t>(point.bytes, 1);
    if (point.bytes == 0)
      shown += "\xef\xbf\xbd";  // U+FFFD
    else if (point.value < 0x20)
      shown += point.value == '\n' ? '\n' : ' ';  // between values: those in texts are escaped
    else if (is_printable(point.value))
      shown += json.substr(at, bytes);
    else
      append_escaped(shown, point.value);
    at += bytes;
  }
  return shown;
}

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
  open_.push_back({'}', true, {}});
  return *this;
}

JsonWriter& JsonWriter::begin_list() {
  item("[");
  open_.push_back({']', true, {}});
  return *this;
}

JsonWriter& JsonWriter::end() {
  const Open closed = std::move(open_.back());
  open_.pop_back();
  if (!closed.empty) break_line();
  text_ += closed.closing;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  const std::string first = quoted(name);
  std::string own = first;
  for (int n = 2; !open_.back().keys.insert(own).second; ++n)
    own = first.substr(0, first.size() - 1) + " (" + std::to_string(n) + ")\"";
  item(own + ": ");
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) { return item(quoted(text)); }
JsonWriter& JsonWriter::value(bool truth) { return item(truth ? "true" : "false"); }
JsonWriter& JsonWriter::value(double number) { return item(std::isfinite(number) ? shortest(number) : "null"); }
JsonWriter& JsonWriter::integer(std::int64_t number) { return item(std::to_string(number)); }
JsonWriter& JsonWriter::null() { return item("null"); }
JsonWriter& JsonWriter::raw(const std::string& json) { return item(printable_json(json)); }

JsonWriter& JsonWriter::value(const std::vector<std::string>& texts) {
  begin_list();
  for (const std::string& text : texts) value(std::string_view(text));
  return end();
}

}  // namespace mixop
