#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mixop {

/// Writes JSON piece by piece: json.begin_object().key("epoch").value(3).end(). A number that is not finite becomes
/// null.
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
