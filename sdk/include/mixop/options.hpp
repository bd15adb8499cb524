#pragma once

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mixop/abi/option.h"
#include "mixop/error.hpp"

namespace mixop {

/// One option of a component, for its static `options` array.
constexpr MixopOptionSpec option(int type, const char* name, const char* default_value, const char* help) {
  return {sizeof(MixopOptionSpec), type, name, default_value, help};
}

/// The option values of one component, by name. The host has checked names and types against the component's
/// MixopOptionSpec and filled in the defaults, so a look-up that fails is a bug in the component.
class Options {
 public:
  Options() = default;
  Options(const MixopOptionValue* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) values_[values[i].name] = values[i].value;
  }
  explicit Options(std::map<std::string, std::string> values) : values_(std::move(values)) {}
  Options(std::initializer_list<std::pair<const std::string, std::string>> values) : values_(values) {}

  bool flag(const std::string& name) const { return text(name) == "true"; }
  std::int64_t integer(const std::string& name) const { return number<std::int64_t>(name); }
  double real(const std::string& name) const { return number<double>(name); }
  const std::string& text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw Error(ErrorCode::plugin, "option '" + name + "' is read but was not declared");
    return found->second;
  }
  /// Comma-separated items; an empty text is an empty list.
  std::vector<std::string> list(const std::string& name) const {
    std::vector<std::string> items;
    std::string_view rest = text(name);
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      items.emplace_back(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    return items;
  }
  const std::map<std::string, std::string>& values() const { return values_; }
  friend bool operator==(const Options&, const Options&) = default;

 private:
  template <class Number>
  Number number(const std::string& name) const {
    const std::string& value = text(name);
    Number parsed{};
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (failure != std::errc{} || end != value.data() + value.size())
      throw Error(ErrorCode::usage, "option '" + name + "': expected a number, found '" + value + "'");
    return parsed;
  }

  std::map<std::string, std::string> values_;
};

}  // namespace mixop
