#include "host/json/number_tokens.hpp"

#include <algorithm>

namespace mixop {
namespace {

/// Where the digits that begin at `at` end.
std::size_t digits_end(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of("0123456789", at), text.size());
}

bool has(std::string_view text, std::size_t at, std::string_view any_of) {
  return at < text.size() && any_of.find(text[at]) != std::string_view::npos;
}

}  // namespace

std::size_t number_length(std::string_view text) {
  const std::size_t start = has(text, 0, "-") ? 1 : 0;
  std::size_t end = has(text, start, "0") ? start + 1 : digits_end(text, start);
  if (end == start) return 0;
  if (has(text, end, "."))
    if (const std::size_t fraction = digits_end(text, end + 1); fraction > end + 1) end = fraction;
  if (has(text, end, "eE")) {
    const std::size_t digits = end + (has(text, end + 1, "+-") ? 2 : 1);
    if (const std::size_t exponent = digits_end(text, digits); exponent > digits) end = exponent;
  }
  return end;
}

std::string without_numbers(std::string_view json) {
  std::string plain(json);
  bool in_text = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    if (json[at] == '"') in_text = !in_text;
    if (in_text && json[at] == '\\') ++at;
    const std::size_t length = in_text || at >= json.size() ? 0 : number_length(json.substr(at));
    if (length == 0) continue;
    const std::size_t zero = at + (json[at] == '-' ? 1 : 0);
    plain[zero] = '0';
    std::fill(plain.begin() + static_cast<std::ptrdiff_t>(zero) + 1,
              plain.begin() + static_cast<std::ptrdiff_t>(at + length), ' ');
    at += length - 1;
  }
  return plain;
}

}  // namespace mixop
