#pragma once

#include <cstdint>
#include <vector>

namespace mixop {

/// One step of truncated backpropagation through time: rows [start, start + length) of the columns.
struct Sequence {
  std::int64_t start = 0;
  std::int64_t length = 0;
  double rate_scale = 1.0;  ///< of the learning rate: the drawn length, before the text's end clips it, over bptt

  bool operator==(const Sequence&) const = default;
};

struct SequenceOptions {
  std::int64_t bptt = 35;  ///< 2 to 2^20
  bool jitter = false;     ///< lengths vary about the base length, as in the published training; the search has none
};

/// The sequences of an epoch over columns of `rows` rows: a pure function of its arguments, so that an epoch's position
/// is an index. The base length is bptt with probability 0.95, else bptt / 2. Without jitter it is the length, rounded
/// down (DARTS, rnn/train_search.py); with jitter the length is normal about it with deviation 5, rounded towards zero,
/// 5 to bptt + 20 (rnn/train.py; Merity, Keskar, Socher 2018, section 5). Throws usage for less than 3 rows and a bptt
/// outside its range.
std::vector<Sequence> epoch_sequences(std::uint64_t seed, std::uint64_t epoch, std::int64_t rows,
                                      const SequenceOptions& options);

/// epoch_sequences() of the epoch at hand, worked out once an epoch. One thread at a time.
class EpochSequences {
 public:
  EpochSequences(std::uint64_t seed, std::int64_t rows, const SequenceOptions& options)
      : seed_(seed), rows_(rows), options_(options) {}
  /// Valid until another epoch is asked for.
  const std::vector<Sequence>& of(std::int64_t epoch) const;

 private:
  std::uint64_t seed_;
  std::int64_t rows_;
  SequenceOptions options_;
  mutable std::int64_t epoch_ = -1;
  mutable std::vector<Sequence> sequences_;
};

/// The longest sequence that a jitter can give.
std::int64_t longest_sequence(std::int64_t bptt);

/// The search's validation sequence of the step whose train sequence begins at row `train_start`: bptt rows from
/// train_start mod (rows - 1) of the validation text's columns, clipped at their end (rnn/train_search.py).
Sequence alpha_sequence(std::int64_t train_start, std::int64_t rows, std::int64_t bptt);

/// All rows in steps of bptt, the last one possibly shorter.
std::vector<Sequence> evaluation_sequences(std::int64_t rows, std::int64_t bptt);

}  // namespace mixop
