#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace mixop {

/// One record as one epoch sees it: augmentation is a function of both.
struct Sample {
  std::int64_t record = 0;
  std::uint64_t epoch = 0;
};

/// Records [first, first + count) of a split.
struct RecordRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// The two halves of a search's train set.
struct TrainSplit {
  RecordRange weights;
  RecordRange alphas;
};

/// The first `train_limit` (0: all) of `records` train records, split as the published code does: the first
/// floor(portion * N) train the weights, the rest the alphas. Throws usage for a limit beyond the records and for an
/// empty half.
TrainSplit split_train(std::int64_t records, std::int64_t train_limit, double portion);

/// The permutation of 0..count-1 for an epoch: Fisher-Yates, a pure function of its arguments.
std::vector<std::int64_t> epoch_permutation(std::uint64_t seed, std::uint64_t epoch, std::int64_t count);

/// All records of a range in file order, for evaluation.
std::vector<Sample> in_order(RecordRange range);

/// The shuffled order of a range. Every result is a pure function of (seed, range, arguments); a permutation is cached,
/// so an object serves one thread.
class SampleOrder {
 public:
  /// Throws usage for an empty range.
  SampleOrder(std::uint64_t seed, RecordRange range);

  RecordRange range() const { return range_; }
  /// Batches of an epoch, the last one possibly short.
  std::int64_t steps_per_epoch(std::int64_t batch) const;
  /// Batch `step` of an epoch.
  std::vector<Sample> epoch_batch(std::uint64_t epoch, std::int64_t step, std::int64_t batch);
  /// Batch `step` of the endless concatenation of the epochs' permutations; always full.
  std::vector<Sample> stream_batch(std::uint64_t step, std::int64_t batch);

 private:
  const std::vector<std::int64_t>& permutation(std::uint64_t epoch);
  Sample at(std::uint64_t position);

  std::uint64_t seed_;
  RecordRange range_;
  std::pair<std::uint64_t, std::vector<std::int64_t>> cached_;
};

}  // namespace mixop
