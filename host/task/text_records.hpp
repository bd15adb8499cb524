#pragma once

#include <array>
#include <memory>
#include <optional>

#include "host/data/sequences.hpp"
#include "host/data/token_set.hpp"
#include "host/task/text_batches.hpp"
#include "host/task/training_data.hpp"

namespace mixop {

/// Text in the published recurrent training (DARTS, rnn/train.py): truncated back-propagation over sequences of varying
/// length, whose learning rate follows their length. Splits are read when they are asked for.
class TextRecords final : public TrainingData {
 public:
  TextRecords(const DatasetHandle& data, const Config& config, at::Device device);

  std::int64_t count(Records records) const override;
  std::int64_t steps_in(std::int64_t epoch) const override {
    return static_cast<std::int64_t>(train_text().sequences.of(epoch).size());
  }
  std::int64_t smallest_batch() const override { return 0; }
  TrainBatch train(std::int64_t epoch, std::int64_t step) override;
  void for_each(Records records, std::int64_t batch, const std::function<bool(const Batch&)>& visit) override;
  std::vector<Records> measured() const override { return {Records::valid}; }
  /// Ten columns after an epoch, which is ten times as fast as the one that counts every word.
  std::int64_t longest_sequence(std::int64_t epochs) override;
  std::int64_t measuring_batch() const override { return measuring_columns(count(Records::valid)); }
  std::int64_t evaluation_batch() const override { return 1; }
  std::int64_t replaced() const override { return 0; }

 private:
  /// The train text as the steps read it.
  struct TrainText {
    TokenColumns columns;
    EpochSequences sequences;
  };
  const TokenSet& tokens(Records records) const;
  const TrainText& train_text() const;

  const DatasetHandle& data_;
  std::int64_t train_limit_, batch_, bptt_;
  std::uint64_t seed_;
  at::Device device_;
  mutable std::array<std::unique_ptr<TokenSet>, 3> splits_;
  mutable std::optional<TrainText> train_text_;
};

}  // namespace mixop
