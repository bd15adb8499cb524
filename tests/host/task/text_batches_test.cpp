#include "host/task/text_batches.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"
#include "tests/support/small_text.hpp"

using namespace mixop;

namespace {

Config config_of(std::int64_t batch) {
  Config config = test::text_config(RunKind::search);
  config.search.batch = batch;
  return config;
}

std::vector<std::int64_t> words_of(int split, std::int64_t count) {
  std::vector<std::int64_t> words(static_cast<std::size_t>(count));
  test::small_text().read(split, 0, count, nullptr, words.data());
  return words;
}

/// Whether a batch holds rows [row, row + time) of `batch` columns of a split's words, and the next words as targets.
bool holds(const Batch& batch, const std::vector<std::int64_t>& words, std::int64_t row) {
  const std::int64_t columns = batch.input.size(1), rows = static_cast<std::int64_t>(words.size()) / columns;
  for (std::int64_t t = 0; t < batch.input.size(0); ++t)
    for (std::int64_t column = 0; column < columns; ++column) {
      const auto at = static_cast<std::size_t>(column * rows + row + t);
      if (batch.input[t][column].item<std::int64_t>() != words[at]) return false;
      if (batch.target[t][column].item<std::int64_t>() != words[at + 1]) return false;
    }
  return true;
}

}  // namespace

TEST_CASE("train and alpha batches walk through the train and the valid split side by side", "[search][text]") {
  TextBatches data(test::small_text(), config_of(10), at::kCPU);
  const auto train = words_of(MIXOP_SPLIT_TRAIN, 1200), valid = words_of(MIXOP_SPLIT_VALID, 300);
  std::int64_t row = 0;
  for (std::int64_t step = 0; step < data.steps_in(3); ++step) {
    const StepData taken = data.at(3, step, 0);
    CHECK(holds(taken.train, train, row));
    CHECK(holds(taken.valid, valid, row % (300 / 10 - 1)));
    CHECK(taken.train.input.size(0) <= 12);
    row += taken.train.input.size(0);
  }
  CHECK(row >= 120 - 2);
}

TEST_CASE("a half sequence has half the rate, and no other length is drawn", "[search][text]") {
  Config config = config_of(2);
  TextBatches data(test::small_text(), config, at::kCPU);
  int halves = 0, wholes = 0;
  for (std::int64_t epoch = 0; epoch < 8; ++epoch)
    for (std::int64_t step = 0; step + 1 < data.steps_in(epoch); ++step) {
      const StepData taken = data.at(epoch, step, 0);
      const std::int64_t length = taken.train.input.size(0);
      REQUIRE((length == 12 || length == 6));
      CHECK(taken.rate_scale == (length == 12 ? 1.0 : 0.5));
      ++(length == 12 ? wholes : halves);
    }
  CHECK(halves > 0);
  CHECK(halves < wholes / 5);
}

TEST_CASE("validation reads the valid split in ten columns, as one stream, until it is stopped", "[search][text]") {
  const TextBatches data(test::small_text(), config_of(10), at::kCPU);
  const auto valid = words_of(MIXOP_SPLIT_VALID, 300);
  std::int64_t row = 0;
  data.for_each_valid([&](const Batch& batch) {
    CHECK(batch.input.size(1) == 10);
    CHECK(holds(batch, valid, row));
    row += batch.input.size(0);
    return true;
  });
  CHECK(row == 29);
  int visits = 0;
  data.for_each_valid([&](const Batch&) { return ++visits < 2; });
  CHECK(visits == 2);
}
