#pragma once

#include <concepts>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mixop {

/// JSON with what no terminal shows escaped, and bytes that are no UTF-8 as U+FFFD.
std::string printable_json(std::string_view json);

/// Writes JSON piece by piece: json.begin_object().key("epoch").value(3).end(). A number that is not finite becomes
/// null. All of it is printable (printable_json), whatever the names are, and a key that its object has already is
/// "KEY (2)".
class JsonWriter {
 public:
  enum class Style { compact, pretty };
  explicit JsonWriter(Style style = Style::pretty) : style_(style) {}

  JsonWriter& begin_object();
  JsonWriter& begin_list();
  /// Closes what was opened last.
  JsonWriter& end();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth);
  JsonWriter& value(double number);
  JsonWriter& value(std::integral auto number) { return integer(static_cast<std::int64_t>(number)); }
  JsonWriter& value(const std::vector<std::string>& texts);
  JsonWriter& null();
  /// A value that is JSON already.
  JsonWriter& raw(const std::string& json);

  template <class Value>
  JsonWriter& member(std::string_view name, const Value& content) {
    return key(name).value(content);
  }
  const std::string& text() const { return text_; }

 private:
  struct Open {
    char closing;
    bool empty;
    std::set<std::string> keys;
  };
  JsonWriter& integer(std::int64_t number);
  JsonWriter& item(const std::string& json);
  void break_line();

  Style style_;
  std::string text_;
  std::vector<Open> open_;  // innermost last
  bool after_key_ = false;
};

}  // namespace mixop
