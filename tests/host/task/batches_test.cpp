#include "host/task/batches.hpp"

#include <ATen/ATen.h>

#include "host/data/image_pipeline.hpp"
#include "tests/catch.hpp"
#include "tests/host/data/fake_dataset.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;

DatasetHandle small_data() {
  return DatasetHandle("synthetic", test::plugins().dataset("synthetic"), "",
                       {{"train", "50"}, {"test", "4"}, {"size", "8"}, {"classes", "5"}});
}

Config small_config() {
  Config config;
  config.search.batch = 8;
  config.data.train_limit = 40;
  config.data.train_portion = 0.5;
  return config;
}

TEST_CASE("an epoch of the weights' half has every record once, the last batch possibly short", "[search][data]") {
  SearchBatches batches(small_data(), small_config(), at::kDouble, at::kCPU);
  REQUIRE(batches.steps_per_epoch() == 3);
  CHECK(batches.train(0, 0).input.sizes() == at::IntArrayRef({8, 3, 8, 8}));
  CHECK(batches.train(0, 2).target.size(0) == 4);
  CHECK(batches.train(0, 0).input.scalar_type() == at::kDouble);
  CHECK_FALSE(at::equal(batches.train(0, 0).input, batches.train(1, 0).input));
}

TEST_CASE("a batch is a function of the seed and its position alone", "[search][data]") {
  SearchBatches first(small_data(), small_config(), at::kFloat, at::kCPU);
  (void)first.train(3, 1);
  (void)first.valid(17);
  SearchBatches second(small_data(), small_config(), at::kFloat, at::kCPU);
  CHECK(at::equal(first.train(1, 2).input, second.train(1, 2).input));
  CHECK(at::equal(first.valid(5).input, second.valid(5).input));
  Config other = small_config();
  other.seed = 99;
  SearchBatches third(small_data(), other, at::kFloat, at::kCPU);
  CHECK_FALSE(at::equal(first.valid(5).input, third.valid(5).input));
}

TEST_CASE("the alphas' stream goes on over its epochs with full batches", "[search][data]") {
  SearchBatches batches(small_data(), small_config(), at::kFloat, at::kCPU);
  for (std::int64_t step = 0; step < 12; ++step) CHECK(batches.valid(step).target.size(0) == 8);
  CHECK_FALSE(at::equal(batches.valid(0).target, batches.valid(5).target));
}

TEST_CASE("a batch larger than the alphas' half takes that half once", "[search][data]") {
  Config config = small_config();
  config.search.batch = 512;
  SearchBatches batches(small_data(), config, at::kFloat, at::kCPU);
  CHECK(batches.valid(0).target.size(0) == 20);
  CHECK(batches.train(0, 0).target.size(0) == 20);
}

TEST_CASE("the smallest batch is what an epoch's last step is left, or the alphas' half where that is less",
          "[search][data]") {
  Config config = small_config();
  CHECK(SearchBatches(small_data(), config, at::kFloat, at::kCPU).smallest_batch() == 4);
  config.data.train_limit = 34;
  CHECK(SearchBatches(small_data(), config, at::kFloat, at::kCPU).smallest_batch() == 1);
  config.data.train_portion = 0.95;
  CHECK(SearchBatches(small_data(), config, at::kFloat, at::kCPU).smallest_batch() == 2);
}

TEST_CASE("validation sees every record of the alphas' half once, as it is", "[search][data]") {
  const SearchBatches batches(small_data(), small_config(), at::kFloat, at::kCPU);
  const auto records = stored_records(small_data(), MIXOP_SPLIT_TRAIN, 40);
  std::int64_t seen = 0;
  batches.for_each_valid([&](const Batch& batch) {
    for (std::int64_t i = 0; i < batch.target.size(0); ++i, ++seen)
      CHECK(batch.target[i].item<std::int64_t>() == records->target(20 + seen));
    return true;
  });
  CHECK(seen == 20);
}

TEST_CASE("batches of decoded images are the same for any number of workers", "[search][data]") {
  FakeDataset fake;
  fake.have_many_sizes();
  fake.info.jitter[0] = 0.4;
  const DatasetHandle data = fake.handle();
  Config config;
  config.search.batch = 4;
  config.search.epochs = 3;
  std::vector<std::vector<at::Tensor>> seen;
  for (const std::int64_t workers : {0, 1, 4}) {
    config.data.workers = workers;
    SearchBatches batches(data, config, at::kFloat, at::kCPU);
    REQUIRE(batches.steps_per_epoch() == 2);
    REQUIRE(batches.images().decodes());
    std::vector<at::Tensor> run;
    for (std::int64_t step = 0; step < 6; ++step) {
      run.push_back(batches.train(step / 2, step % 2).input);
      run.push_back(batches.valid(step).input);
    }
    batches.for_each_valid([&](const Batch& batch) {
      run.push_back(batch.input);
      return true;
    });
    REQUIRE(run.size() == 14);
    CHECK(run[2].sizes() == at::IntArrayRef({2, 3, 4, 4}));
    CHECK(run[13].sizes() == at::IntArrayRef({2, 3, 4, 4}));
    seen.push_back(run);
  }
  for (std::size_t i = 0; i < seen[0].size(); ++i) {
    CHECK(at::equal(seen[0][i], seen[1][i]));
    CHECK(at::equal(seen[0][i], seen[2][i]));
  }
}

TEST_CASE("images of many sizes are cropped and coloured in training", "[search][data]") {
  FakeDataset fake;
  fake.have_many_sizes();
  fake.info.jitter[2] = 0.3;
  const DatasetHandle data = fake.handle();
  DataConfig config;
  const Augmentation on = training_augmentation(data.info(), config, 1);
  REQUIRE(on.random_crop);
  CHECK(on.random_crop->area == std::array<double, 2>{0.5, 1.0});
  CHECK(on.jitter.saturation == 0.3);
  config.policy = "autoaugment_imagenet";
  const Augmentation learned = training_augmentation(data.info(), config, 1);
  CHECK(learned.policy == Policy::autoaugment_imagenet);
  CHECK(learned.random_crop);
  CHECK(learned.jitter.saturation == 0);
  config.augment = false;
  const Augmentation off = training_augmentation(data.info(), config, 1);
  CHECK_FALSE(off.random_crop);
  CHECK(off.jitter.saturation == 0);
}

TEST_CASE("the config changes the data set's own augmentation", "[search][data]") {
  DatasetInfo info;
  info.crop_padding = 4;
  info.horizontal_flip = true;
  DataConfig config;
  config.cutout = 16;
  CHECK(training_augmentation(info, config, 1).crop_padding == 4);
  CHECK(training_augmentation(info, config, 1).horizontal_flip);
  CHECK(training_augmentation(info, config, 1).cutout_length == 16);
  CHECK(training_augmentation(info, config, 1).seed != training_augmentation(info, config, 2).seed);
  config.augment = false;
  CHECK(training_augmentation(info, config, 1).crop_padding == 0);
  CHECK_FALSE(training_augmentation(info, config, 1).horizontal_flip);
}

}  // namespace
