#include "host/task/text_records.hpp"

#include <algorithm>

#include "host/task/text_batches.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

constexpr std::uint64_t kSequences = 7;  // beside the other streams of a training

int split_of(Records records) {
  constexpr int kSplits[] = {MIXOP_SPLIT_TRAIN, MIXOP_SPLIT_VALID, MIXOP_SPLIT_TEST};
  return kSplits[static_cast<std::size_t>(records)];
}

}  // namespace

TextRecords::TextRecords(const DatasetHandle& data, const Config& config, at::Device device)
    : data_(data),
      train_limit_(config.data.train_limit),
      batch_(config.train.batch),
      bptt_(config.data.bptt),
      seed_(key_of({static_cast<std::uint64_t>(config.seed), kSequences})),
      device_(device) {}

std::int64_t TextRecords::count(Records records) const {
  if (records == Records::train && train_limit_ > 0) return train_limit_;
  return data_.info().records[static_cast<std::size_t>(split_of(records))];
}

const TextRecords::TrainText& TextRecords::train_text() const {
  if (!train_text_) {
    const TokenColumns columns = tokens(Records::train).columns(batch_);
    train_text_.emplace(TrainText{columns, {seed_, columns.rows(), {.bptt = bptt_, .jitter = true}}});
  }
  return *train_text_;
}

const TokenSet& TextRecords::tokens(Records records) const {
  std::unique_ptr<TokenSet>& split = splits_[static_cast<std::size_t>(records)];
  if (split == nullptr)
    split = std::make_unique<TokenSet>(data_, split_of(records), records == Records::train ? train_limit_ : 0);
  return *split;
}

TrainBatch TextRecords::train(std::int64_t epoch, std::int64_t step) {
  const TrainText& text = train_text();
  const Sequence& sequence = text.sequences.of(epoch).at(static_cast<std::size_t>(step));
  return {text_batch(text.columns, sequence, device_), sequence.rate_scale};
}

std::int64_t TextRecords::longest_sequence(std::int64_t epochs) {
  std::int64_t longest = 0;
  for (std::int64_t epoch = 0; epoch < epochs && longest < mixop::longest_sequence(bptt_); ++epoch)
    for (const Sequence& sequence : train_text().sequences.of(epoch)) longest = std::max(longest, sequence.length);
  return longest;
}

void TextRecords::for_each(Records records, std::int64_t batch, const std::function<bool(const Batch&)>& visit) {
  const TokenColumns columns = tokens(records).columns(batch);
  for (const Sequence& sequence : evaluation_sequences(columns.rows(), bptt_))
    if (!visit(text_batch(columns, sequence, device_))) return;
}

}  // namespace mixop
