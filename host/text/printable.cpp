#include "host/text/printable.hpp"

#include <algorithm>

#include "mixop/utf8.hpp"

namespace mixop {
namespace {

constexpr std::size_t kLongestName = 128;

/// Appends what shows the character at `at`, and returns how many bytes it took.
std::size_t append_character(std::string& shown, std::string_view text, std::size_t at) {
  const CodePoint point = code_point_at(text, at);
  const std::string_view bytes = text.substr(at, std::max<std::size_t>(point.bytes, 1));
  if (point.bytes != 0 && is_printable(bytes)) {
    shown += bytes;
    return bytes.size();
  }
  constexpr const char* kDigits = "0123456789abcdef";
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    shown += {'\\', 'x', kDigits[value >> 4], kDigits[value & 15]};
  }
  return bytes.size();
}

}  // namespace

std::string printable(std::string_view text, bool lines) {
  std::string shown;
  for (std::size_t at = 0; at < text.size();) {
    if (lines && text[at] == '\n') {
      shown += '\n';
      ++at;
    } else {
      at += append_character(shown, text, at);
    }
  }
  return shown;
}

std::string excerpt(std::string_view text, std::size_t most) {
  std::string shown;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    if (characters == most) return shown + "...";
    at += append_character(shown, text, at);
  }
  return shown;
}

std::string first_character(std::string_view text) {
  std::string shown;
  append_character(shown, text, 0);
  return shown;
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

}  // namespace mixop
