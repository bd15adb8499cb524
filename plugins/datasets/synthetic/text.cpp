#include "text.hpp"

#include <algorithm>

#include "mixop/random.hpp"

namespace mixop::synthetic {
namespace {

constexpr std::int64_t kSentence = 8;
constexpr std::uint64_t kAnyWord = 10;  // one in so many

// Draws that must not repeat each other.
enum Draw : std::uint64_t { kTopic = 1, kWord, kNoise };

}  // namespace

/// Few topics are frequent and many are rare, as words are: the smaller of two draws.
std::int64_t Writer::topic(int split, std::int64_t sentence) const {
  RandomStream random(key_of({seed_, kTopic, static_cast<std::uint64_t>(split), static_cast<std::uint64_t>(sentence)}));
  const auto topics = static_cast<std::uint64_t>(std::max<std::int64_t>(2, vocabulary_ / 4));
  const std::uint64_t first = random.below(topics), second = random.below(topics);
  return static_cast<std::int64_t>(std::min(first, second));
}

std::int64_t Writer::word(int split, std::int64_t position) const {
  const std::int64_t sentence = position / kSentence, place = position % kSentence;
  if (place == kSentence - 1) return 0;
  const auto others = static_cast<std::uint64_t>(vocabulary_ - 1);
  RandomStream noise(key_of({seed_, kNoise, static_cast<std::uint64_t>(split), static_cast<std::uint64_t>(position)}));
  if (noise.below(kAnyWord) == 0) return 1 + static_cast<std::int64_t>(noise.below(others));
  RandomStream own(
      key_of({seed_, kWord, static_cast<std::uint64_t>(topic(split, sentence)), static_cast<std::uint64_t>(place)}));
  return 1 + static_cast<std::int64_t>(own.below(others));
}

}  // namespace mixop::synthetic
