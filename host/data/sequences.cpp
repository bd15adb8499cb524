#include "host/data/sequences.hpp"

#include <algorithm>
#include <string>

#include "mixop/error.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

// Keeps the lengths' draws apart from other draws under one seed.
constexpr std::uint64_t kSequenceKey = 0x73657175656e6365;

constexpr double kFullShare = 0.95;
constexpr double kDeviation = 5.0;
constexpr std::int64_t kLeastLength = 5;
constexpr std::int64_t kMostAbove = 20;
constexpr std::int64_t kMaxBptt = std::int64_t{1} << 20;

void check(std::int64_t rows, std::int64_t least_rows, std::int64_t bptt) {
  if (bptt < 2 || bptt > kMaxBptt)
    throw Error(ErrorCode::usage, "bptt must be 2 to " + std::to_string(kMaxBptt) + ", found " + std::to_string(bptt));
  if (rows < least_rows)
    throw Error(ErrorCode::usage, "the columns must have " + std::to_string(least_rows) + " rows or more, found " +
                                      std::to_string(rows) + "; give a smaller batch or more text");
}

/// True with probability exp(-x), x in [0, 1]: falling runs of uniforms below x have even length (von Neumann 1951).
bool with_exp_probability(RandomStream& random, double x) {
  bool even = true;
  for (;; even = !even) {
    const double u = random.uniform();
    if (u >= x) return even;
    x = u;
  }
}

bool all_with_exp_probability(RandomStream& random, double x, int times) {
  for (int i = 0; i < times; ++i)
    if (!with_exp_probability(random, x)) return false;
  return true;
}

/// A normal deviate by comparisons alone (Karney 2016, algorithm N), so that no machine's logarithm shows. It has 32
/// fraction bits, which keeps what a length is made of exact.
double normal(RandomStream& random) {
  for (;;) {
    int k = 0;
    while (with_exp_probability(random, 0.5)) ++k;
    if (!all_with_exp_probability(random, 0.5, k * (k - 1))) continue;
    const double x = static_cast<double>(random.next() >> 32) * 0x1.0p-32;
    if (!all_with_exp_probability(random, x * (2 * k + x) / (2 * k + 2), k + 1)) continue;
    return (random.next() >> 63) != 0 ? -(k + x) : k + x;
  }
}

std::int64_t draw_length(RandomStream& random, const SequenceOptions& options) {
  const double share = random.uniform() < kFullShare ? 1.0 : 0.5;
  const double base = share * static_cast<double>(options.bptt);
  if (!options.jitter) return static_cast<std::int64_t>(base);
  const auto length = static_cast<std::int64_t>(base + kDeviation * normal(random));
  return std::min(std::max(length, kLeastLength), longest_sequence(options.bptt));
}

}  // namespace

std::vector<Sequence> epoch_sequences(std::uint64_t seed, std::uint64_t epoch, std::int64_t rows,
                                      const SequenceOptions& options) {
  check(rows, 3, options.bptt);
  RandomStream random(key_of({kSequenceKey, seed, epoch}));
  std::vector<Sequence> sequences;
  // A last row alone is not worth a step, as in the published loop.
  for (std::int64_t start = 0; start < rows - 2; start += sequences.back().length) {
    const std::int64_t length = draw_length(random, options);
    sequences.push_back(
        {start, std::min(length, rows - 1 - start), static_cast<double>(length) / static_cast<double>(options.bptt)});
  }
  return sequences;
}

const std::vector<Sequence>& EpochSequences::of(std::int64_t epoch) const {
  if (epoch_ != epoch) {
    sequences_ = epoch_sequences(seed_, static_cast<std::uint64_t>(epoch), rows_, options_);
    epoch_ = epoch;
  }
  return sequences_;
}

std::int64_t longest_sequence(std::int64_t bptt) { return bptt + kMostAbove; }

Sequence alpha_sequence(std::int64_t train_start, std::int64_t rows, std::int64_t bptt) {
  check(rows, 2, bptt);
  if (train_start < 0)
    throw Error(ErrorCode::usage, "a train sequence begins at row 0 or later, found " + std::to_string(train_start));
  const std::int64_t start = train_start % (rows - 1);
  return {start, std::min(bptt, rows - 1 - start)};
}

std::vector<Sequence> evaluation_sequences(std::int64_t rows, std::int64_t bptt) {
  check(rows, 2, bptt);
  std::vector<Sequence> sequences;
  for (std::int64_t start = 0; start < rows - 1; start += bptt)
    sequences.push_back({start, std::min(bptt, rows - 1 - start)});
  return sequences;
}

}  // namespace mixop
