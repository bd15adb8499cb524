#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/data/dataset_handle.hpp"

namespace mixop {

/// A text cut into `batch` columns of `rows` consecutive tokens each; token (t, b) is tokens[b * rows + t], and what is
/// left over at the text's end is not used (batchify of the published recurrent search, DARTS, rnn/utils.py). A view:
/// the TokenSet that made it must outlive it.
class TokenColumns {
 public:
  /// Throws usage for a batch below 1 and where a column has less than 2 rows; `where` names the text.
  TokenColumns(std::span<const std::int32_t> tokens, std::int64_t batch, const std::string& where);

  std::int64_t rows() const { return rows_; }
  std::int64_t batch() const { return batch_; }
  /// Writes rows [start, start + got) as inputs and the rows one later as targets, each int64 [got][batch], and
  /// returns got = min(length, rows - 1 - start). Both buffers hold length * batch entries. Throws usage for a start
  /// outside [0, rows - 1) and a length below 1.
  std::int64_t fill(std::int64_t start, std::int64_t length, std::int64_t* inputs, std::int64_t* targets) const;

 private:
  std::span<const std::int32_t> tokens_;
  std::int64_t batch_, rows_;
};

/// A split of a text data set, whole in memory. Immutable, so several threads may read it; it needs neither the handle
/// nor the plugin any more.
class TokenSet {
 public:
  /// Reads the first `limit` tokens (0: all). Throws usage for images, an empty split or a limit beyond its tokens.
  TokenSet(const DatasetHandle& data, int split, std::int64_t limit = 0);

  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  std::int64_t vocabulary() const { return vocabulary_; }
  std::span<const std::int32_t> tokens() const { return tokens_; }
  TokenColumns columns(std::int64_t batch) const { return {tokens_, batch, where_}; }

 private:
  std::string where_;
  std::int64_t vocabulary_;
  std::vector<std::int32_t> tokens_;
};

/// exp of the entropy of the tokens' own distribution: the perplexity of the best model that sees no context. Tokens
/// lie in [0, vocabulary). Throws usage where there are none.
double unigram_perplexity(std::span<const std::int32_t> tokens, std::int64_t vocabulary);

}  // namespace mixop
