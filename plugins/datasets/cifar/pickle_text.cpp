#include "pickle_text.hpp"

#include <charconv>
#include <cstdint>

#include "mixop/utf8.hpp"

namespace mixop::cifar {
namespace {

/// The number of `digits` hexadecimal digits.
std::optional<std::uint32_t> hexadecimal(std::string_view text, std::size_t digits) {
  std::uint32_t value = 0;
  if (text.size() < digits) return std::nullopt;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + digits, value, 16);
  if (failure != std::errc{} || end != text.data() + digits) return std::nullopt;
  return value;
}

/// What the character behind a backslash means; nothing where that is no such escape.
std::optional<char> escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '\\':
    case '\'':
    case '"':
      return c;
    default:
      return std::nullopt;
  }
}

/// A code point of raw-unicode-escape and the bytes that it takes.
CodePoint raw_code_point(std::string_view text, std::size_t at) {
  const bool escape = text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == 'u' || text[at + 1] == 'U');
  if (!escape) return {static_cast<std::uint8_t>(text[at]), 1};
  const std::size_t digits = text[at + 1] == 'u' ? 4 : 8;
  const auto value = hexadecimal(text.substr(at + 2), digits);
  return value ? CodePoint{*value, digits + 2} : CodePoint{0, 0};
}

}  // namespace

std::optional<std::string> unquoted(std::string_view quoted) {
  if (quoted.size() < 2 || (quoted.front() != '\'' && quoted.front() != '"') || quoted.back() != quoted.front())
    return std::nullopt;
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  std::string bytes;
  for (std::size_t at = 0; at < inside.size(); ++at) {
    if (inside[at] != '\\') {
      bytes += inside[at];
      continue;
    }
    if (++at == inside.size()) return std::nullopt;
    if (inside[at] == 'x') {
      const auto value = hexadecimal(inside.substr(at + 1), 2);
      if (!value) return std::nullopt;
      bytes += static_cast<char>(*value);
      at += 2;
    } else if (const auto meant = escaped(inside[at])) {
      bytes += *meant;
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

std::optional<std::string> latin1_of(std::string_view text, bool raw_escapes) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = raw_escapes ? raw_code_point(text, at) : code_point_at(text, at);
    if (point.bytes == 0 || point.value > 0xff) return std::nullopt;
    bytes += static_cast<char>(point.value);
    at += point.bytes;
  }
  return bytes;
}

}  // namespace mixop::cifar
