#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mixop {

/// A decoded code point and the bytes that it took; 0 bytes where they are no UTF-8.
struct CodePoint {
  std::uint32_t value;
  std::size_t bytes;
};

/// The code point at `at`, which must lie in the text. Strict: no overlong form, no surrogate (RFC 3629).
inline CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
  constexpr CodePoint kMalformed = {0, 0};
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc0 || first >= 0xf8 || count > text.size() - at) return kMalformed;
  std::uint32_t value = first & (0x7fu >> count);
  for (std::size_t i = 1; i < count; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return kMalformed;
    value = value << 6 | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kLeast[count] || value > 0x10ffff || surrogate) return kMalformed;
  return {value, count};
}

/// Whether a terminal, a picture and XML can show a code point as what it is: no control character, none that ends a
/// line or changes the direction of the text around it, none that stands for nothing.
inline bool is_printable(std::uint32_t value) {
  const auto within = [value](std::uint32_t first, std::uint32_t last) { return value >= first && value <= last; };
  return !(value < 0x20 || within(0x7f, 0x9f) || within(0x2028, 0x202e) || within(0x2066, 0x2069) ||
           within(0xfdd0, 0xfdef) || (value & 0xfffe) == 0xfffe);
}

/// Whether a text is UTF-8 of such code points.
inline bool is_printable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.bytes == 0 || !is_printable(point.value)) return false;
    at += point.bytes;
  }
  return true;
}

}  // namespace mixop
