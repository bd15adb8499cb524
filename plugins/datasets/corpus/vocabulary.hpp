#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mixop::corpus {

/// The words of a corpus, numbered in the order of their first appearance.
class Vocabulary {
 public:
  /// The number of a word, a new one where it is new.
  std::int32_t add(std::string_view word);
  const std::deque<std::string>& words() const { return words_; }

 private:
  std::deque<std::string> words_;  // never moves, so that the keys can point into it
  std::unordered_map<std::string_view, std::int32_t> numbers_;
};

/// The tokens of a text file as the published recurrent search reads it (DARTS, rnn/data.py, class Corpus): the words
/// of every line, as Python's str.split() gives them, then <eos>, an empty line's too. A line ends at \n, \r\n or \r,
/// as Python's open() has it; a last line needs no end. A byte-order mark at the start is left out. Throws bad_data,
/// naming the line, for what is no UTF-8, a NUL, a word too long and a vocabulary too large.
std::vector<std::int32_t> tokens_of(const std::filesystem::path& path, Vocabulary& vocabulary);

}  // namespace mixop::corpus
