#include "host/task/text_batches.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "mixop/random.hpp"

namespace mixop {
namespace {

/// As the published code measures.
constexpr std::int64_t kValidColumns = 10;

// Keeps the lengths' draws apart from all other draws under one seed.
constexpr std::uint64_t kSequences = 0x73657175656e6365;

}  // namespace

std::int64_t measuring_columns(std::int64_t words) { return std::clamp<std::int64_t>(words / 2, 1, kValidColumns); }

Batch text_batch(const TokenColumns& columns, const Sequence& sequence, at::Device device) {
  const at::Tensor input = at::empty({sequence.length, columns.batch()}, at::kLong), target = at::empty_like(input);
  const std::int64_t got =
      columns.fill(sequence.start, sequence.length, input.data_ptr<std::int64_t>(), target.data_ptr<std::int64_t>());
  return {input.narrow(0, 0, got).to(device), target.narrow(0, 0, got).to(device)};
}

TextBatches::TextBatches(const DatasetHandle& data, const Config& config, at::Device device)
    : bptt_(config.data.bptt),
      device_(device),
      train_(data, MIXOP_SPLIT_TRAIN, config.data.train_limit),
      valid_(data, MIXOP_SPLIT_VALID),
      train_columns_(train_.columns(config.search.batch)),
      alpha_columns_(valid_.columns(config.search.batch)),
      valid_columns_(valid_.columns(measuring_columns(valid_.size()))),
      sequences_(key_of({static_cast<std::uint64_t>(config.seed), kSequences}), train_columns_.rows(),
                 {.bptt = bptt_, .jitter = false}) {
  if (config.search.batch < 2)
    throw Error(ErrorCode::usage,
                "search.batch: expected 2 columns of text or more, which a search's cell is normalised "
                "over, found " +
                    std::to_string(config.search.batch));
  (void)sequences_.of(0);
}

StepData TextBatches::at(std::int64_t epoch, std::int64_t step_in_epoch, std::int64_t) {
  const Sequence& train = sequences_.of(epoch).at(static_cast<std::size_t>(step_in_epoch));
  const Sequence valid = alpha_sequence(train.start, alpha_columns_.rows(), bptt_);
  return {text_batch(train_columns_, train, device_), text_batch(alpha_columns_, valid, device_), train.rate_scale};
}

void TextBatches::for_each_valid(const std::function<bool(const Batch&)>& visit) const {
  for (const Sequence& sequence : evaluation_sequences(valid_columns_.rows(), bptt_))
    if (!visit(text_batch(valid_columns_, sequence, device_))) return;
}

}  // namespace mixop
