#include "host/text/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace mixop {
namespace {

/// Words longer than this are compared by their beginning: user input must not make the table large.
constexpr std::size_t kLongestWord = 128;

/// Edits that make b of a: a character more, less or another, or two that change places.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kLongestWord);
  b = b.substr(0, kLongestWord);
  std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    before = std::exchange(last, row);
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = std::min({last[j] + (a[i] != b[j] ? 1 : 0), row[j] + 1, last[j + 1] + 1});
      if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j]) row[j + 1] = std::min(row[j + 1], before[j - 1] + 1);
    }
  }
  return row.back();
}

/// How many edits make a word another one: one of three letters.
std::size_t most_edits(std::string_view word) {
  const std::size_t letters = word.size() - std::min(word.find_first_not_of('-'), word.size());
  return std::max<std::size_t>(1, letters / 3);
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
  std::size_t best_distance = most_edits(word) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = distance_to(word, candidate);
    if (distance >= best_distance || distance > most_edits(candidate)) continue;
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
