#include "host/text/printable.hpp"

#include <algorithm>

#include "mixop/utf8.hpp"

namespace mixop {
namespace {

constexpr std::size_t kLongestName = 128;
constexpr std::size_t kLongestLine = 8192;
constexpr std::string_view kEllipsis = "...";

/// How many bytes the character at `at` takes; a byte that is no UTF-8 is one.
std::size_t bytes_at(std::string_view text, std::size_t at) {
  return std::max<std::size_t>(code_point_at(text, at).bytes, 1);
}

/// Where the first `most` characters end.
std::size_t end_of(std::string_view text, std::size_t most) {
  std::size_t at = 0;
  for (; most > 0 && at < text.size(); --most) at += bytes_at(text, at);
  return at;
}

/// Appends what shows the character at `at`, and returns how many bytes it took.
std::size_t append_character(std::string& shown, std::string_view text, std::size_t at) {
  const std::string_view bytes = text.substr(at, bytes_at(text, at));
  if (is_printable(bytes)) {
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

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += bytes_at(text, at)) ++count;
  return count;
}

std::string excerpt(std::string_view text, std::size_t most) {
  const std::size_t end = end_of(text, most);
  const std::size_t more = characters(text.substr(end));
  return printable(text.substr(0, end)) +
         (more == 0 ? "" : "... (" + std::to_string(more) + (more == 1 ? " more character)" : " more characters)"));
}

std::string shortened(std::string_view text, std::size_t most) {
  const std::string shown = printable(text);
  return characters(shown) <= most ? shown : shown.substr(0, end_of(shown, most - kEllipsis.size())).append(kEllipsis);
}

std::string printable_message(std::string_view text) {
  std::string shown;
  for (;;) {
    const auto end = text.find('\n');
    shown += excerpt(text.substr(0, end), kLongestLine);
    if (end == std::string_view::npos) return shown;
    shown += '\n';
    text.remove_prefix(end + 1);
    if (text.starts_with("mixop:")) shown += "  ";  // a name with a line end looks like no message of mixop's
  }
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
