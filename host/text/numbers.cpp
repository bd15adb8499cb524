#include "host/text/numbers.hpp"

#include <algorithm>
#include <cstdint>

namespace mixop {
namespace {

constexpr std::int64_t kFarAway = std::int64_t{1} << 40;

/// The power of ten behind the 'e', bounded.
std::int64_t exponent_of(std::string_view digits) {
  const bool negative = digits.substr(0, 1) == "-";
  if (negative || digits.substr(0, 1) == "+") digits.remove_prefix(1);
  std::int64_t value = kFarAway;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  value = std::min(value, kFarAway);
  return negative ? -value : value;
}

/// Whether a number that is out of a double's range is too large, not too small.
bool is_large(std::string_view number) {
  const auto mark = std::min(number.find_first_of("eE"), number.size());
  const std::string_view mantissa = number.substr(0, mark);
  const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  const auto first = static_cast<std::int64_t>(std::min(mantissa.find_first_of("123456789"), mantissa.size()));
  return point - first + (mark == number.size() ? 0 : exponent_of(number.substr(mark + 1))) > 0;
}

}  // namespace

std::from_chars_result read_number(std::string_view text, double& number) {
  std::from_chars_result read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc::result_out_of_range) return read;
  const std::string_view used = text.substr(0, static_cast<std::size_t>(read.ptr - text.data()));
  if (is_large(used)) return read;
  number = used.front() == '-' ? -0.0 : 0.0;
  read.ec = {};
  return read;
}

}  // namespace mixop
