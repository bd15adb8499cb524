#include "host/data/sample_order.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>

#include "tests/plugins/datasets/support.hpp"

using mixop::Error;
using mixop::ErrorCode;
using mixop::RecordRange;
using mixop::Sample;
using mixop::SampleOrder;

namespace {

std::vector<std::int64_t> records_of(const std::vector<Sample>& samples) {
  std::vector<std::int64_t> records;
  for (const Sample& sample : samples) records.push_back(sample.record);
  return records;
}

void check_usage(const Error& error, const std::string& what) {
  CHECK(error.what() == what);
  CHECK(error.code() == ErrorCode::usage);
}

}  // namespace

TEST_CASE("an epoch's order is a permutation that depends on seed and epoch alone", "[data][order]") {
  const auto count = GENERATE(std::int64_t{1}, std::int64_t{2}, std::int64_t{997});
  auto order = mixop::epoch_permutation(7, 3, count);
  CHECK(order == mixop::epoch_permutation(7, 3, count));
  if (count == 997) {
    CHECK(order != mixop::epoch_permutation(7, 4, count));
    CHECK(order != mixop::epoch_permutation(8, 3, count));
    CHECK_FALSE(std::is_sorted(order.begin(), order.end()));
  }
  std::sort(order.begin(), order.end());
  std::vector<std::int64_t> expected(static_cast<std::size_t>(count));
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(order == expected);
}

TEST_CASE("every permutation of three records is about as likely", "[data][order]") {
  std::map<std::vector<std::int64_t>, int> seen;
  for (std::uint64_t epoch = 0; epoch < 6000; ++epoch) ++seen[mixop::epoch_permutation(1, epoch, 3)];
  REQUIRE(seen.size() == 6);
  // 1000 expected, standard deviation 29.
  for (const auto& [order, times] : seen) CHECK(std::abs(times - 1000) < 150);
}

TEST_CASE("the batches of an epoch cover its range once", "[data][order]") {
  SampleOrder order(5, {100, 23});
  CHECK(order.steps_per_epoch(10) == 3);
  CHECK(order.steps_per_epoch(23) == 1);
  CHECK(order.steps_per_epoch(1) == 23);
  std::vector<std::int64_t> all;
  for (std::int64_t step = 0; step < 3; ++step) {
    const auto batch = order.epoch_batch(2, step, 10);
    CHECK(batch.size() == (step == 2 ? 3 : 10));
    for (const Sample& sample : batch) {
      CHECK(sample.epoch == 2);
      all.push_back(sample.record);
    }
  }
  const auto permutation = mixop::epoch_permutation(5, 2, 23);
  for (std::size_t i = 0; i < 23; ++i) CHECK(all[i] == 100 + permutation[i]);
}

TEST_CASE("the endless stream is the concatenation of the epochs", "[data][order]") {
  const RecordRange range{40, 7};
  SampleOrder order(9, range);
  std::vector<Sample> expected;
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch)
    for (const std::int64_t record : mixop::epoch_permutation(9, epoch, 7)) expected.push_back({40 + record, epoch});
  // Backwards, since a batch must not depend on those before it; a batch of 5 straddles epochs.
  for (std::uint64_t step = 7; step-- > 0;) {
    const auto batch = order.stream_batch(step, 5);
    REQUIRE(batch.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
      CHECK(batch[i].record == expected[step * 5 + i].record);
      CHECK(batch[i].epoch == expected[step * 5 + i].epoch);
    }
  }
  CHECK(order.stream_batch(0, 20).size() == 20);
}

TEST_CASE("evaluation sees a range in file order", "[data][order]") {
  CHECK(records_of(mixop::in_order({3, 4})) == std::vector<std::int64_t>{3, 4, 5, 6});
  CHECK(mixop::in_order({3, 0}).empty());
}

TEST_CASE("the train set is split as the published code does", "[data][split]") {
  const auto [records, limit, portion, weights, alphas] =
      GENERATE(table<std::int64_t, std::int64_t, double, std::int64_t, std::int64_t>({
          {50000, 0, 0.5, 25000, 25000},
          {50000, 4000, 0.5, 2000, 2000},
          {50000, 50000, 0.9, 45000, 5000},
          {7, 0, 0.5, 3, 4},
          {10, 0, 0.7, 7, 3},
          {2, 0, 0.5, 1, 1},
      }));
  const mixop::TrainSplit split = mixop::split_train(records, limit, portion);
  CHECK(split.weights.first == 0);
  CHECK(split.weights.count == weights);
  CHECK(split.alphas.first == weights);
  CHECK(split.alphas.count == alphas);
}

TEST_CASE("a limit beyond the train set names both", "[data][split][misuse]") {
  check_usage(error_of([] { mixop::split_train(50000, 50001, 0.5); }),
              "data.train_limit is 50001 but the train set has 50000 records; give 0 (all) to 50000");
  check_usage(error_of([] { mixop::split_train(50000, -1, 0.5); }),
              "data.train_limit is -1 but the train set has 50000 records; give 0 (all) to 50000");
}

TEST_CASE("a portion that leaves a half empty is a usage error", "[data][split][misuse]") {
  const auto what = [](const std::string& portion, const std::string& half) {
    return "data.train_portion " + portion + " of 10 train records leaves no records for the " + half +
           "; give a portion between 0 and 1 that leaves both at least one record";
  };
  check_usage(error_of([] { mixop::split_train(10, 0, 0.05); }), what("0.050000", "weights"));
  check_usage(error_of([] { mixop::split_train(10, 0, -1.0); }), what("-1.000000", "weights"));
  check_usage(error_of([] { mixop::split_train(10, 0, 1.0); }), what("1.000000", "alphas"));
  check_usage(error_of([] { mixop::split_train(10, 0, 2.0); }), what("2.000000", "alphas"));
  CHECK(error_of([] { mixop::split_train(10, 0, std::numeric_limits<double>::quiet_NaN()); }).code() ==
        ErrorCode::usage);
}

TEST_CASE("orders of nothing and batches of nothing are usage errors", "[data][order][misuse]") {
  check_usage(error_of([] { SampleOrder(1, {0, 0}); }), "there are no records to put in order; expected 1 or more");
  SampleOrder order(1, {0, 10});
  check_usage(error_of([&] { order.stream_batch(0, 0); }), "the batch size must be 1 or more, found 0");
  check_usage(error_of([&] { order.epoch_batch(0, 0, -3); }), "the batch size must be 1 or more, found -3");
  check_usage(error_of([&] { order.epoch_batch(0, 3, 4); }), "step 3 of an epoch of 3");
  check_usage(error_of([&] { order.epoch_batch(0, -1, 4); }), "step -1 of an epoch of 3");
}
