#include "host/text/nearest.hpp"

#include <algorithm>
#include <numeric>

namespace mixop {
namespace {

/// Words longer than this are compared by their beginning: user input must not make the table large.
constexpr std::size_t kLongestWord = 128;

/// Levenshtein's distance, in one row.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kLongestWord);
  b = b.substr(0, kLongestWord);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j] ? 1 : 0);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

/// A whole match of what follows the last dot counts as one edit: 'channels' means 'space.channels'.
std::size_t distance_to(std::string_view word, std::string_view known) {
  const std::size_t whole = edit_distance(word, known);
  const auto dot = known.rfind('.');
  return dot == std::string_view::npos ? whole : std::min(whole, edit_distance(word, known.substr(dot + 1)) + 1);
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 2) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = distance_to(word, candidate);
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string best = nearest(word, known);
  return best.empty() ? "" : "; did you mean '" + best + "'?";
}

}  // namespace mixop
