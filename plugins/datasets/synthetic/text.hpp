#pragma once

#include <cstdint>

namespace mixop::synthetic {

/// Writes text of sentences of eight words: a sentence's topic, which its first word tells, gives the others, but for
/// one word in ten, which is any. Word 0 ends a sentence. What comes next can be learnt from what came before.
class Writer {
 public:
  /// `vocabulary` words, 2 or more.
  Writer(std::int64_t vocabulary, std::uint64_t seed) : vocabulary_(vocabulary), seed_(seed) {}
  /// The word at a position of a split: a pure function of all of these.
  std::int64_t word(int split, std::int64_t position) const;

 private:
  std::int64_t topic(int split, std::int64_t sentence) const;

  std::int64_t vocabulary_;
  std::uint64_t seed_;
};

}  // namespace mixop::synthetic
