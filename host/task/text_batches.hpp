#pragma once

#include <vector>

#include "host/data/sequences.hpp"
#include "host/data/token_set.hpp"
#include "host/task/search_data.hpp"

namespace mixop {

/// Text in the published recurrent search: the train split trains the weights, the valid split the alphas, and
/// validation reads the valid split in ten columns.
class TextBatches final : public SearchData {
 public:
  TextBatches(const DatasetHandle& data, const Config& config, at::Device device);

  std::int64_t steps_in(std::int64_t epoch) const override {
    return static_cast<std::int64_t>(sequences_.of(epoch).size());
  }
  StepData at(std::int64_t epoch, std::int64_t step_in_epoch, std::int64_t step) override;
  std::int64_t smallest_batch() const override { return 0; }
  void for_each_valid(const std::function<bool(const Batch&)>& visit) const override;
  std::int64_t valid_count() const override { return valid_columns_.batch() * (valid_columns_.rows() - 1); }
  std::int64_t replaced() const override { return 0; }

 private:
  std::int64_t bptt_;
  at::Device device_;
  TokenSet train_, valid_;
  TokenColumns train_columns_, alpha_columns_, valid_columns_;
  EpochSequences sequences_;
};

/// How many columns a split of so many words is measured in after an epoch: ten, or as many as have two rows.
std::int64_t measuring_columns(std::int64_t words);

/// Rows of the columns as a batch [time, columns], with the rows one later as its target.
Batch text_batch(const TokenColumns& columns, const Sequence& sequence, at::Device device);

}  // namespace mixop
