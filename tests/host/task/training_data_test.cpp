#include "host/task/task.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"
#include "tests/host/data/fake_dataset.hpp"
#include "tests/host/train/small_training.hpp"

using namespace mixop;
using test::drawn_images;
using test::training_config;

namespace {

std::unique_ptr<TrainingData> data_of(const Config& config, const DatasetHandle& data = test::small_images()) {
  return task_of(data.info().kind).open_training_data(data, config, at::kFloat, at::kCPU);
}

std::vector<std::int64_t> targets_of(TrainingData& data, Records records, std::int64_t batch) {
  std::vector<std::int64_t> targets;
  data.for_each(records, batch, [&](const Batch& one) {
    CHECK(one.input.size(0) <= batch);
    for (std::int64_t i = 0; i < one.target.size(0); ++i) targets.push_back(one.target[i].item<std::int64_t>());
    return true;
  });
  return targets;
}

}  // namespace

TEST_CASE("a training needs at least one record", "[train][misuse]") {
  Config config = training_config();
  config.data.train_portion = 0.01;
  CHECK(test::error_of(ErrorCode::usage, [&] { data_of(config); }) ==
        "data.train_portion 0.010000 of 30 train records leaves none to train; give a portion above 0, up to 1 (all)");
  config = training_config();
  config.data.train_limit = 31;
  CHECK(test::error_of(ErrorCode::usage, [&] {
          data_of(config);
        }).find("asked for the first 31 records but it has 30") != std::string::npos);
}

TEST_CASE("the portion trains, the rest is held out, and the test split stands beside them", "[train][data]") {
  Config config = training_config();
  const auto data = data_of(config);
  CHECK(data->count(Records::train) == 24);
  CHECK(data->count(Records::valid) == 6);
  CHECK(data->count(Records::test) == 10);
  CHECK(data->steps_in(0) == 3);
  config.data.train_portion = 1;
  config.data.train_limit = 20;
  const auto all = data_of(config);
  CHECK(all->count(Records::train) == 20);
  CHECK(all->count(Records::valid) == 0);
  CHECK(all->steps_in(0) == 3);
}

TEST_CASE("every record trains once an epoch, and none that is held out", "[train][data]") {
  const auto data = data_of(training_config());
  std::vector<std::int64_t> seen;
  for (std::int64_t step = 0; step < data->steps_in(0); ++step) {
    const Batch batch = data->train(1, step).batch;
    CHECK(batch.input.sizes() == at::IntArrayRef({8, 3, 8, 8}));
    for (std::int64_t i = 0; i < 8; ++i) seen.push_back(batch.target[i].item<std::int64_t>());
  }
  std::vector<std::int64_t> expected = targets_of(*data, Records::train, 24);
  std::sort(seen.begin(), seen.end());
  std::sort(expected.begin(), expected.end());
  CHECK(seen == expected);
}

TEST_CASE("a training batch is a function of the seed and its position alone", "[train][data]") {
  const auto first = data_of(training_config()), second = data_of(training_config());
  (void)first->train(0, 2);
  (void)first->train(2, 0);
  CHECK(at::equal(first->train(1, 1).batch.input, second->train(1, 1).batch.input));
  CHECK_FALSE(at::equal(first->train(0, 1).batch.input, second->train(1, 1).batch.input));
  Config other = training_config();
  other.seed = 6;
  CHECK_FALSE(at::equal(data_of(other)->train(1, 1).batch.input, second->train(1, 1).batch.input));
}

TEST_CASE("records to measure come in file order, as they are, in batches of any size", "[train][data]") {
  Config config = training_config();
  config.data.train_portion = 0.75;  // the drawn classes take turns, and 22 is no multiple of their number
  const auto data = data_of(config);
  const std::vector<std::int64_t> held_out = targets_of(*data, Records::valid, 8);
  CHECK(held_out.size() == 8);
  for (const std::int64_t batch : {1, 4, 100}) CHECK(targets_of(*data, Records::valid, batch) == held_out);
  CHECK(targets_of(*data, Records::test, 3).size() == 10);
  std::vector<std::int64_t> stored(30);
  std::vector<std::uint8_t> pixels(30 * 3 * 8 * 8);
  test::small_images().read(MIXOP_SPLIT_TRAIN, 0, 30, pixels.data(), stored.data());
  CHECK(std::equal(held_out.begin(), held_out.end(), stored.begin() + 22));
}

TEST_CASE("measuring ends where its visitor says so", "[train][data]") {
  const auto data = data_of(training_config());
  int visits = 0;
  data->for_each(Records::test, 2, [&](const Batch&) { return ++visits < 3; });
  CHECK(visits == 3);
}

TEST_CASE("records that cannot be decoded are not measured, nor others in their places", "[train][data]") {
  FakeDataset fake;
  fake.have_many_sizes();
  fake.info.skip_corrupt = 1;
  fake.corrupt = {7, 9};
  const DatasetHandle handle = fake.handle();
  Config config = training_config();
  config.data.train_portion = 0.5;  // records 6 to 11 are held out, and the target of record r is r % 3
  for (const std::int64_t batch : {1, 2, 4, 100}) {
    const auto data = data_of(config, handle);
    CHECK(targets_of(*data, Records::valid, batch) == std::vector<std::int64_t>{0, 2, 1, 2});
    CHECK(data->replaced() == 2);
  }
}
