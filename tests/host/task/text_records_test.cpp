#include "host/task/text_records.hpp"

#include <ATen/ATen.h>

#include "host/task/text_batches.hpp"
#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"
#include "tests/support/small_text.hpp"

using namespace mixop;

namespace {

Config config_of(std::int64_t batch, std::int64_t bptt = 12) {
  Config config = test::text_config(RunKind::train);
  config.train.batch = batch;
  config.data.bptt = bptt;
  return config;
}

std::vector<std::int64_t> words_of(int split, std::int64_t count) {
  std::vector<std::int64_t> words(static_cast<std::size_t>(count));
  test::small_text().read(split, 0, count, nullptr, words.data());
  return words;
}

}  // namespace

TEST_CASE("an epoch of text walks through every column once, with the next words as targets", "[train][text]") {
  TextRecords data(test::small_text(), config_of(7), at::kCPU);
  const std::vector<std::int64_t> words = words_of(MIXOP_SPLIT_TRAIN, 1200);
  const std::int64_t rows = 1200 / 7;
  std::int64_t row = 0;
  for (std::int64_t step = 0; step < data.steps_in(2); ++step) {
    const TrainBatch taken = data.train(2, step);
    const std::int64_t time = taken.batch.input.size(0);
    CHECK(taken.batch.input.size(1) == 7);
    for (std::int64_t t = 0; t < time; ++t)
      for (std::int64_t column = 0; column < 7; ++column) {
        const auto at = static_cast<std::size_t>(column * rows + row + t);
        REQUIRE(taken.batch.input[t][column].item<std::int64_t>() == words[at]);
        REQUIRE(taken.batch.target[t][column].item<std::int64_t>() == words[at + 1]);
      }
    row += time;
  }
  CHECK(row >= rows - 2);
}

TEST_CASE("the rate of a sequence follows its length", "[train][text]") {
  TextRecords data(test::small_text(), config_of(2), at::kCPU);
  bool varied = false;
  for (std::int64_t step = 0; step + 1 < data.steps_in(0); ++step) {
    const TrainBatch taken = data.train(0, step);
    const std::int64_t length = taken.batch.input.size(0);
    CHECK(length >= 5);
    CHECK(length <= 12 + 20);
    CHECK(taken.rate_scale == Approx(static_cast<double>(length) / 12));
    varied = varied || length != 12;
  }
  CHECK(varied);
}

TEST_CASE("lengths are drawn anew in every epoch, and by the seed", "[train][text]") {
  Config other = config_of(2);
  other.seed = 6;
  TextRecords data(test::small_text(), config_of(2), at::kCPU), again(test::small_text(), config_of(2), at::kCPU),
      seeded(test::small_text(), other, at::kCPU);
  const auto lengths = [](TextRecords& records, std::int64_t epoch) {
    std::vector<std::int64_t> all;
    for (std::int64_t step = 0; step < records.steps_in(epoch); ++step)
      all.push_back(records.train(epoch, step).batch.input.size(0));
    return all;
  };
  const auto second = lengths(data, 1);
  CHECK(second == lengths(again, 1));
  CHECK(second != lengths(data, 0));
  CHECK(second != lengths(seeded, 1));
}

TEST_CASE("one column is measured on every word but the first", "[train][text]") {
  TextRecords data(test::small_text(), config_of(4), at::kCPU);
  CHECK(data.evaluation_batch() == 1);
  const std::vector<std::int64_t> words = words_of(MIXOP_SPLIT_TEST, 200);
  std::vector<std::int64_t> targets;
  data.for_each(Records::test, 1, [&](const Batch& batch) {
    for (std::int64_t t = 0; t < batch.target.size(0); ++t) targets.push_back(batch.target[t][0].item<std::int64_t>());
    return true;
  });
  CHECK(targets == std::vector<std::int64_t>(words.begin() + 1, words.end()));
  int visits = 0;
  data.for_each(Records::valid, 3, [&](const Batch&) { return ++visits < 2; });
  CHECK(visits == 2);
}

TEST_CASE("counts are words, and the limit holds for the train split alone", "[train][text]") {
  Config config = config_of(4);
  config.data.train_limit = 500;
  const TextRecords data(test::small_text(), config, at::kCPU);
  CHECK(data.count(Records::train) == 500);
  CHECK(data.count(Records::valid) == 300);
  CHECK(data.count(Records::test) == 200);
  CHECK((data.measured() == std::vector<Records>{Records::valid}));
}

TEST_CASE("a split of a few words is measured in fewer columns", "[train][text]") {
  const DatasetHandle data("synthetic_text", test::plugins().dataset("synthetic_text"), "",
                           {{"train", "100"}, {"valid", "7"}, {"test", "5"}, {"vocabulary", "9"}});
  TextRecords records(data, config_of(2), at::kCPU);
  CHECK(records.measuring_batch() == 3);
  std::int64_t words = 0;
  records.for_each(Records::valid, records.measuring_batch(), [&](const Batch& batch) {
    words += batch.target.numel();
    return true;
  });
  CHECK(words == 3);
  CHECK(measuring_columns(20) == 10);
  CHECK(measuring_columns(2000) == 10);
}

TEST_CASE("a text too short for its columns says so", "[train][text][misuse]") {
  CHECK(test::error_of(ErrorCode::usage, [] {
          (void)TextRecords(test::small_text(), config_of(700), at::kCPU).steps_in(0);
        }).find("1200 tokens in 700 columns make 1 rows, expected 2 or more") != std::string::npos);
}
