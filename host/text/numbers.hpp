#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace mixop {

/// As std::from_chars, but what is too small for a double is 0, as std::strtod has it; what is too large stays an
/// error.
std::from_chars_result read_number(std::string_view text, double& number);

std::from_chars_result read_number(std::string_view text, std::integral auto& number) {
  return std::from_chars(text.data(), text.data() + text.size(), number);
}

/// The number that a whole text is, in plain notation; nothing where there is more or less than a number of that type.
template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, failure] = read_number(text, number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The number that a text begins with.
template <class Number>
std::optional<Number> leading_number(std::string_view text) {
  Number number{};
  if (read_number(text, number).ec != std::errc{}) return std::nullopt;
  return number;
}

}  // namespace mixop
