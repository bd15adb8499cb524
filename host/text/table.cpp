#include "host/text/table.hpp"

#include <algorithm>
#include <cstdio>

#include "host/text/printable.hpp"

namespace mixop {
namespace {

std::vector<std::vector<std::string>> shown(std::vector<std::vector<std::string>> rows) {
  for (auto& row : rows)
    for (std::string& cell : row) cell = printable(cell);
  return rows;
}

std::vector<std::size_t> widths_of(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], characters(row[c]));
  }
  return widths;
}

}  // namespace

std::string table_text(const std::vector<std::vector<std::string>>& cells, const std::vector<Align>& aligns) {
  const std::vector<std::vector<std::string>> rows = shown(cells);
  const std::vector<std::size_t> widths = widths_of(rows);
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string blanks(widths[c] - characters(row[c]), ' ');
      if (c > 0) line += "  ";
      line += aligns[std::min(c, aligns.size() - 1)] == Align::left ? row[c] + blanks : blanks + row[c];
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string fixed_text(double value, int digits) {
  std::string text(512, '\0');  // the largest double has 309 digits before its point
  const int size = std::snprintf(text.data(), text.size(), "%.*f", std::min(digits, 100), value);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace mixop
