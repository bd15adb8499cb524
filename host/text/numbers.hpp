#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace mixop {

/// The number that a whole text is, in plain notation; nothing where there is more or less than a number of that type.
template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The number that a text begins with.
template <class Number>
std::optional<Number> leading_number(std::string_view text) {
  Number number{};
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{}) return std::nullopt;
  return number;
}

}  // namespace mixop
