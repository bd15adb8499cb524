#include "host/data/image_pipeline.hpp"

#include <algorithm>
#include <cstdlib>

#include "tests/host/data/fake_dataset.hpp"
#include "tests/plugins/datasets/support.hpp"

using namespace mixop;

namespace {

struct ManySizesFake : FakeDataset {
  ManySizesFake() { have_many_sizes(); }
};

struct Shown {
  std::vector<float> image;
  std::int64_t target = -1;
};

Shown shown(const ImageSource& images, Sample sample, const Augmentation& augmentation = {}) {
  Shown result;
  result.image.resize(static_cast<std::size_t>(images.image_size()));
  images.fill_batch({&sample, 1}, augmentation, result.image.data(), &result.target);
  return result;
}

/// Images of one colour stay so, whatever the crop.
std::vector<float> plain(const FakeDataset& fake, std::int64_t record) {
  std::vector<float> image;
  const std::int64_t colour[] = {10 * record, 20 * record, 255 - record};
  for (std::size_t c = 0; c < 3; ++c)
    image.insert(image.end(), 16,
                 (static_cast<float>(colour[c]) / 255.0f - fake.info.mean[c]) / fake.info.deviation[c]);
  return image;
}

}  // namespace

TEST_CASE("images of many sizes come in the networks' size", "[data][images]") {
  ManySizesFake fake;
  const DatasetHandle data = fake.handle();
  const ImagePipeline images(data, MIXOP_SPLIT_TRAIN, 9);
  CHECK(images.size() == 9);
  CHECK(images.channels() == 3);
  CHECK(images.height() == 4);
  CHECK(images.width() == 4);
  CHECK(images.image_size() == 48);
  CHECK(images.decodes());
  Augmentation training;
  training.random_crop = data.info().many_sizes->crop;
  training.horizontal_flip = true;
  for (std::int64_t record = 0; record < 9; ++record) {
    CHECK(shown(images, {record, 0}).image == plain(fake, record));
    CHECK(shown(images, {record, 3}, training).image == plain(fake, record));
    CHECK(shown(images, {record, 0}).target == record % 3);
  }
}

TEST_CASE("a set is in memory where all images have one size and decoded where not", "[data][images]") {
  FakeDataset fixed;
  const DatasetHandle one_size = fixed.handle();
  CHECK_FALSE(open_images(one_size, MIXOP_SPLIT_TRAIN)->decodes());
  ManySizesFake varying;
  const DatasetHandle many_sizes = varying.handle();
  const auto images = open_images(many_sizes, MIXOP_SPLIT_TRAIN, 5);
  CHECK(images->decodes());
  CHECK(images->size() == 5);
  CHECK(varying.decoded == 0);
}

TEST_CASE("decoded images are augmented by seed, epoch and record alone", "[data][images]") {
  ManySizesFake fake;
  const DatasetHandle data = fake.handle();
  const ImagePipeline images(data, MIXOP_SPLIT_TRAIN), fewer(data, MIXOP_SPLIT_TRAIN, 6);
  Augmentation augmentation;
  augmentation.jitter = {0.4, 0.4, 0.4, 0.2};
  augmentation.cutout_length = 2;
  augmentation.seed = 5;
  const std::vector<Sample> batch = {{5, 1}, {2, 0}, {5, 2}, {5, 1}};
  std::vector<float> together(4 * 48);
  std::vector<std::int64_t> targets(4);
  images.fill_batch(batch, augmentation, together.data(), targets.data());
  for (std::size_t i = 0; i < 4; ++i) {
    const std::vector<float> within(together.begin() + static_cast<std::ptrdiff_t>(48 * i),
                                    together.begin() + static_cast<std::ptrdiff_t>(48 * i + 48));
    CHECK(shown(fewer, batch[i], augmentation).image == within);
  }
  CHECK(shown(images, {5, 1}, augmentation).image != shown(images, {5, 2}, augmentation).image);
  Augmentation other = augmentation;
  other.seed = 6;
  CHECK(shown(images, {5, 1}, augmentation).image != shown(images, {5, 1}, other).image);
  other = augmentation;
  other.cutout_length = 0;
  // What is switched off leaves the other draws as they were: the images differ where the square was alone.
  const std::vector<float> cut = shown(images, {5, 1}, augmentation).image, whole = shown(images, {5, 1}, other).image;
  for (std::size_t i = 0; i < cut.size(); ++i) CHECK((cut[i] == whole[i] || cut[i] == 0.0f));
}

TEST_CASE("half of the decoded images are mirrored", "[data][images]") {
  ManySizesFake fake;
  fake.ramp = true;
  const DatasetHandle data = fake.handle();
  const ImagePipeline images(data, MIXOP_SPLIT_TRAIN);
  const std::vector<float> plain = shown(images, {7, 0}).image;
  std::vector<float> mirrored = plain;
  for (auto row = mirrored.begin(); row != mirrored.end(); row += 4) std::reverse(row, row + 4);
  REQUIRE(plain != mirrored);
  Augmentation flip;
  flip.horizontal_flip = true;
  int flipped = 0;
  for (std::uint64_t epoch = 0; epoch < 400; ++epoch) {
    const std::vector<float> image = shown(images, {7, epoch}, flip).image;
    REQUIRE((image == plain || image == mirrored));
    flipped += image == mirrored ? 1 : 0;
  }
  // 200 expected, standard deviation 10.
  CHECK(std::abs(flipped - 200) < 50);
}

TEST_CASE("an image that cannot be decoded ends the run where it is not skipped", "[data][images][misuse]") {
  ManySizesFake fake;
  fake.corrupt = {4};
  const DatasetHandle data = fake.handle();
  const ImagePipeline images(data, MIXOP_SPLIT_TRAIN);
  const Error error = error_of([&] { shown(images, {4, 0}); });
  CHECK(error.what() == std::string("data set 'fake', split 'train': file 4: no image"));
  CHECK(error.code() == ErrorCode::bad_data);
  CHECK(images.replaced() == 0);
}

TEST_CASE("the next good record and its target stand for one that cannot be decoded", "[data][images]") {
  ManySizesFake fake;
  fake.info.skip_corrupt = 1;
  fake.corrupt = {4, 5, 11};
  const DatasetHandle data = fake.handle();
  const ImagePipeline images(data, MIXOP_SPLIT_TRAIN);
  for (int times = 0; times < 2; ++times) {
    CHECK(shown(images, {4, 0}).image == plain(fake, 6));
    CHECK(shown(images, {4, 0}).target == 0);
    CHECK(shown(images, {11, 0}).image == plain(fake, 0));
  }
  CHECK(images.replaced() == 3);
}

TEST_CASE("a record of one part never stands for one of the other", "[data][images]") {
  ManySizesFake fake;
  fake.info.skip_corrupt = 1;
  fake.corrupt = {5, 6, 7, 11};
  const DatasetHandle data = fake.handle();
  const auto images = open_images(data, MIXOP_SPLIT_TRAIN, 0, 6);
  CHECK(shown(*images, {5, 0}).image == plain(fake, 0));
  CHECK(shown(*images, {6, 0}).image == plain(fake, 8));
  CHECK(shown(*images, {11, 0}).image == plain(fake, 8));
  CHECK(shown(*images, {11, 0}).target == 2);
  fake.corrupt = {6, 7, 8, 9, 10, 11};
  CHECK(error_of([&] {
          shown(*images, {9, 0});
        }).what() == std::string("data set 'fake', split 'train': none of the records 6 to 11 can be decoded; mixop "
                                 "data check says why"));
}

TEST_CASE("skipping ends where nothing can be decoded, and never hides a disk that fails", "[data][images][misuse]") {
  ManySizesFake fake;
  fake.info.skip_corrupt = 1;
  fake.corrupt = {0, 1, 2};
  fake.unreadable = {3};
  const DatasetHandle data = fake.handle();
  const ImagePipeline three(data, MIXOP_SPLIT_TRAIN, 3), four(data, MIXOP_SPLIT_TRAIN, 4);
  const Error none = error_of([&] { shown(three, {1, 0}); });
  CHECK(none.what() ==
        std::string("data set 'fake', split 'train': none of the records 0 to 2 can be decoded; mixop data "
                    "check says why"));
  CHECK(none.code() == ErrorCode::bad_data);
  const Error disk = error_of([&] { shown(four, {1, 0}); });
  CHECK(disk.what() == std::string("data set 'fake', split 'train': file 3: no disk"));
  CHECK(disk.code() == ErrorCode::failed);
}

TEST_CASE("decoded sets and batches that cannot be made are usage errors", "[data][images][misuse]") {
  ManySizesFake fake;
  const DatasetHandle data = fake.handle();
  CHECK(error_of([&] { ImagePipeline(data, MIXOP_SPLIT_VALID); }).what() ==
        std::string("data set 'fake', split 'valid': it has no records; choose a data set that has this split"));
  CHECK(
      error_of([&] { ImagePipeline(data, MIXOP_SPLIT_TRAIN, 13); }).what() ==
      std::string("data set 'fake', split 'train': asked for the first 13 records but it has 12; give 0 (all) to 12"));
  const ImagePipeline images(data, MIXOP_SPLIT_TRAIN);
  CHECK(error_of([&] { shown(images, {12, 0}); }).what() == std::string("record 12 of a set of 12"));
  CHECK(error_of([&] { shown(images, {-1, 0}); }).code() == ErrorCode::usage);
  Augmentation cutout;
  cutout.cutout_length = 9;
  CHECK(error_of([&] {
          shown(images, {0, 0}, cutout);
        }).what() == std::string("the cutout length must be 0 to 8 for images whose shorter side is 4, found 9"));
}
