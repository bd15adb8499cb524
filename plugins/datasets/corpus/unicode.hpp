#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mixop::corpus {

/// A decoded code point and the bytes that it took; 0 bytes where they are no UTF-8.
struct CodePoint {
  std::uint32_t value;
  std::size_t bytes;
};

/// The code point at `at`, which must lie in the text. Strict: no overlong form, no surrogate (RFC 3629).
CodePoint code_point_at(std::string_view text, std::size_t at);

/// What Python's str.split() splits at: the bidirectional types WS, B and S, and the category Zs of Unicode.
bool is_space(std::uint32_t code_point);

}  // namespace mixop::corpus
