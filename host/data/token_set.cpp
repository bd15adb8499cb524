#include "host/data/token_set.hpp"

#include <algorithm>
#include <cmath>
#include <new>

namespace mixop {
namespace {

constexpr std::int64_t kChunk = std::int64_t{1} << 16;

std::int64_t tokens_to_read(const DatasetHandle& data, int split, std::int64_t limit, const std::string& where) {
  if (data.info().kind != MIXOP_DATA_TEXT)
    throw Error(ErrorCode::usage, where + ": expected text, found images; choose a data set of text");
  const std::int64_t records = data.info().records[static_cast<std::size_t>(split)];
  if (records == 0) throw Error(ErrorCode::usage, where + ": it has no tokens; choose a data set that has this split");
  if (limit < 0 || limit > records)
    throw Error(ErrorCode::usage, where + ": asked for the first " + std::to_string(limit) + " tokens but it has " +
                                      std::to_string(records) + "; give 0 (all) to " + std::to_string(records));
  return limit == 0 ? records : limit;
}

}  // namespace

TokenColumns::TokenColumns(std::span<const std::int32_t> tokens, std::int64_t batch, const std::string& where)
    : tokens_(tokens), batch_(batch) {
  if (batch < 1) throw Error(ErrorCode::usage, "the batch size must be 1 or more, found " + std::to_string(batch));
  const auto size = static_cast<std::int64_t>(tokens.size());
  rows_ = size / batch;
  if (rows_ < 2)
    throw Error(ErrorCode::usage, where + ": " + std::to_string(size) + " tokens in " + std::to_string(batch) +
                                      " columns make " + std::to_string(rows_) +
                                      " rows, expected 2 or more; give a batch of at most " + std::to_string(size / 2) +
                                      " or more text");
}

std::int64_t TokenColumns::fill(std::int64_t start, std::int64_t length, std::int64_t* inputs,
                                std::int64_t* targets) const {
  if (start < 0 || start >= rows_ - 1)
    throw Error(ErrorCode::usage, "a sequence from row " + std::to_string(start) + " of " + std::to_string(rows_) +
                                      "; the last one that has a target is row " + std::to_string(rows_ - 2));
  if (length < 1)
    throw Error(ErrorCode::usage, "the length of a sequence must be 1 or more, found " + std::to_string(length));
  const std::int64_t got = std::min(length, rows_ - 1 - start);
  for (std::int64_t t = 0; t < got; ++t)
    for (std::int64_t b = 0; b < batch_; ++b) {
      const auto at = static_cast<std::size_t>(b * rows_ + start + t);
      *inputs++ = tokens_[at];
      *targets++ = tokens_[at + 1];
    }
  return got;
}

TokenSet::TokenSet(const DatasetHandle& data, int split, std::int64_t limit)
    : where_("data set '" + data.name() + "', split '" + split_name(split) + "'"), vocabulary_(data.info().classes) {
  const std::int64_t count = tokens_to_read(data, split, limit, where_);
  try {
    tokens_.resize(static_cast<std::size_t>(count));
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::failed,
                where_ + ": no memory for " + std::to_string(count) + " tokens; read fewer (data.train_limit)");
  }
  std::vector<std::int64_t> chunk(static_cast<std::size_t>(std::min(kChunk, count)));
  for (std::int64_t first = 0; first < count; first += kChunk) {
    const std::int64_t size = std::min(kChunk, count - first);
    data.read(split, first, size, nullptr, chunk.data());
    // The handle has checked that they lie in the vocabulary, which an int32 holds.
    std::transform(chunk.begin(), chunk.begin() + size, tokens_.begin() + first,
                   [](std::int64_t token) { return static_cast<std::int32_t>(token); });
  }
}

double unigram_perplexity(std::span<const std::int32_t> tokens, std::int64_t vocabulary) {
  if (tokens.empty()) throw Error(ErrorCode::usage, "no tokens have no perplexity; expected 1 or more");
  std::vector<std::int64_t> counts(static_cast<std::size_t>(vocabulary));
  for (const std::int32_t token : tokens) ++counts.at(static_cast<std::size_t>(token));
  double entropy = 0.0;
  for (const std::int64_t count : counts) {
    const double share = static_cast<double>(count) / static_cast<double>(tokens.size());
    if (count > 0) entropy -= share * std::log(share);
  }
  return std::exp(entropy);
}

}  // namespace mixop
