#include "host/data/sequences.hpp"

#include <cmath>
#include <map>

#include "tests/plugins/datasets/support.hpp"

using mixop::Error;
using mixop::ErrorCode;
using mixop::Sequence;

namespace {

void check_usage(const Error& error, const std::string& what) {
  CHECK(error.what() == what);
  CHECK(error.code() == ErrorCode::usage);
}

/// P(a normal deviate is below z).
double normal_below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

/// The drawn lengths of about `count` steps; the last one of an epoch is left out, since the end clips it.
std::map<std::int64_t, double> shares_of_lengths(std::int64_t count, const mixop::SequenceOptions& options) {
  auto sequences = mixop::epoch_sequences(3, 0, count * options.bptt, options);
  sequences.pop_back();
  std::map<std::int64_t, double> shares;
  for (const Sequence& sequence : sequences) shares[sequence.length] += 1.0 / static_cast<double>(sequences.size());
  return shares;
}

}  // namespace

TEST_CASE("sequences of too few rows or of a bptt out of range are usage errors", "[data][sequences][misuse]") {
  check_usage(error_of([] { mixop::epoch_sequences(1, 0, 2, {}); }),
              "the columns must have 3 rows or more, found 2; give a smaller batch or more text");
  check_usage(error_of([] { mixop::alpha_sequence(0, 1, 35); }),
              "the columns must have 2 rows or more, found 1; give a smaller batch or more text");
  check_usage(error_of([] { mixop::evaluation_sequences(1, 35); }),
              "the columns must have 2 rows or more, found 1; give a smaller batch or more text");
  for (const std::int64_t bptt : {1, 0, -35, 1048577}) {
    const std::string what = "bptt must be 2 to 1048576, found " + std::to_string(bptt);
    check_usage(error_of([&] { mixop::epoch_sequences(1, 0, 100, {bptt, false}); }), what);
    check_usage(error_of([&] { mixop::alpha_sequence(0, 100, bptt); }), what);
    check_usage(error_of([&] { mixop::evaluation_sequences(100, bptt); }), what);
  }
  check_usage(error_of([] { mixop::alpha_sequence(-1, 10, 35); }),
              "a train sequence begins at row 0 or later, found -1");
}

TEST_CASE("an epoch's sequences depend on seed and epoch alone and cover the rows", "[data][sequences]") {
  const bool jitter = GENERATE(false, true);
  const mixop::SequenceOptions options{35, jitter};
  const auto sequences = mixop::epoch_sequences(7, 2, 5000, options);
  CHECK(sequences == mixop::epoch_sequences(7, 2, 5000, options));
  CHECK(sequences != mixop::epoch_sequences(7, 3, 5000, options));
  CHECK(sequences != mixop::epoch_sequences(8, 2, 5000, options));
  std::int64_t start = 0;
  for (const Sequence& sequence : sequences) {
    CHECK(sequence.start == start);
    start += sequence.length;
  }
  CHECK((start == 4999 || start == 4998));
  // A shorter text changes nothing before its end.
  const auto shorter = mixop::epoch_sequences(7, 2, 2500, options);
  for (std::size_t i = 0; i + 1 < shorter.size(); ++i) CHECK(shorter[i] == sequences[i]);
}

TEST_CASE("the search takes bptt rows, one time in twenty half of them", "[data][sequences]") {
  auto shares = shares_of_lengths(20000, {35, false});
  REQUIRE(shares.size() == 2);
  // Standard deviation 0.0015.
  CHECK(std::abs(shares[35] - 0.95) < 0.007);
  CHECK(shares[17] > 0.0);
}

TEST_CASE("the training's lengths are normal about bptt or its half", "[data][sequences]") {
  // Wide enough that neither bound is met, and odd, so that half of it is no whole number.
  constexpr std::int64_t kBptt = 201;
  const auto shares = shares_of_lengths(200000, {kBptt, true});
  for (std::int64_t length = 60; length < 260; ++length) {
    // int() of a positive number: [length, length + 1).
    const auto within = [length](double mean) {
      return normal_below((static_cast<double>(length + 1) - mean) / 5) -
             normal_below((static_cast<double>(length) - mean) / 5);
    };
    double expected = 0.95 * within(kBptt) + 0.05 * within(kBptt / 2.0);
    // The cap gathers what lies above it.
    if (length == kBptt + 20) expected = 0.95 * (1.0 - normal_below(20.0 / 5));
    if (length > kBptt + 20) expected = 0.0;
    const auto found = shares.find(length);
    INFO("length " << length);
    CHECK(std::abs((found == shares.end() ? 0.0 : found->second) - expected) <
          5.0 * std::sqrt(expected / 200000) + 1e-5);
  }
}

TEST_CASE("the training's lengths lie from 5 to bptt + 20", "[data][sequences]") {
  auto low = shares_of_lengths(50000, {5, true});
  CHECK(low.begin()->first == 5);
  CHECK(low.rbegin()->first <= 25);
  // 0.95 P(N < 6 about 5) + 0.05 P(N < 6 about 2.5); less in share since the steps are longer than bptt, not in law.
  CHECK(std::abs(low[5] - (0.95 * normal_below(0.2) + 0.05 * normal_below(0.7))) < 0.015);
  const auto high = shares_of_lengths(400000, {100, true});
  CHECK(high.rbegin()->first == 120);
}

TEST_CASE("the rate is scaled by the drawn length, also where the end clips it", "[data][sequences]") {
  const auto sequences = mixop::epoch_sequences(1, 0, 100000, {35, false});
  for (std::size_t i = 0; i + 1 < sequences.size(); ++i)
    CHECK(sequences[i].rate_scale == static_cast<double>(sequences[i].length) / 35.0);
  const auto clipped = mixop::epoch_sequences(1, 0, 10, {35, false});
  REQUIRE(clipped.size() == 1);
  CHECK(clipped[0].length == 9);
  CHECK((clipped[0].rate_scale == 1.0 || clipped[0].rate_scale == 17.0 / 35.0));
}

TEST_CASE("the drawn lengths are the same on every machine", "[data][sequences]") {
  std::vector<std::int64_t> lengths;
  for (const Sequence& sequence : mixop::epoch_sequences(2, 0, 300, {35, true})) lengths.push_back(sequence.length);
  CHECK(lengths == std::vector<std::int64_t>{29, 36, 32, 24, 29, 33, 38, 43, 35});
}

TEST_CASE("a last row alone makes no step", "[data][sequences]") {
  CHECK(mixop::epoch_sequences(1, 0, 3, {}).size() == 1);
  bool seen = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto sequences = mixop::epoch_sequences(seed, 0, 72, {35, false});
    // Two full steps end at row 70 of 0 to 71, which would leave one row with a target.
    if (sequences[0].length == 35 && sequences[1].length == 35) {
      CHECK(sequences.size() == 2);
      seen = true;
    }
  }
  CHECK(seen);
}

TEST_CASE("the alphas' sequence follows the train position round the validation text", "[data][sequences]") {
  CHECK(mixop::alpha_sequence(0, 101, 35) == Sequence{0, 35, 1.0});
  CHECK(mixop::alpha_sequence(65, 101, 35) == Sequence{65, 35, 1.0});
  CHECK(mixop::alpha_sequence(70, 101, 35) == Sequence{70, 30, 1.0});
  CHECK(mixop::alpha_sequence(99, 101, 35) == Sequence{99, 1, 1.0});
  CHECK(mixop::alpha_sequence(100, 101, 35) == Sequence{0, 35, 1.0});
  CHECK(mixop::alpha_sequence(1234, 101, 35) == Sequence{34, 35, 1.0});
}

TEST_CASE("evaluation covers all rows in order", "[data][sequences]") {
  CHECK(mixop::evaluation_sequences(2, 35) == std::vector<Sequence>{{0, 1, 1.0}});
  CHECK(mixop::evaluation_sequences(71, 35) == std::vector<Sequence>{{0, 35, 1.0}, {35, 35, 1.0}});
  CHECK(mixop::evaluation_sequences(72, 35) == std::vector<Sequence>{{0, 35, 1.0}, {35, 35, 1.0}, {70, 1, 1.0}});
}
