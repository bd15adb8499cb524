#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace mixop {

inline std::string joined(const std::vector<std::string>& items, std::string_view separator = ", ") {
  std::string text;
  for (const std::string& item : items) {
    if (&item != &items.front()) text += separator;
    text += item;
  }
  return text;
}

/// Without the blanks around it.
inline std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The trimmed items between separators; an empty text has none.
inline std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> items;
  for (bool more = !text.empty(); more;) {
    const auto end = text.find(separator);
    items.emplace_back(trimmed(text.substr(0, end)));
    more = end != std::string_view::npos;
    if (more) text.remove_prefix(end + 1);
  }
  return items;
}

/// The shortest text that reads back as the same number.
inline std::string shortest(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

}  // namespace mixop
