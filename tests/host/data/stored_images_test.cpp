#include "host/data/image_pipeline.hpp"

#include <cstdlib>
#include <map>
#include <set>

#include "tests/host/data/fake_dataset.hpp"
#include "tests/plugins/datasets/support.hpp"

using mixop::Augmentation;
using mixop::Error;
using mixop::ErrorCode;
using mixop::ImagePipeline;
using mixop::Sample;

namespace {

constexpr int kChannels = 2, kHeight = 6, kWidth = 5;

/// How one image was augmented; `cut_y` and `cut_x` are the cutout's centre.
struct Choice {
  int down = 0, right = 0;
  bool mirrored = false;
  int cut_y = 0, cut_x = 0;
};

/// The image as the definitions say, a pixel at a time: pad with zero bytes, crop, flip, normalise, cut out.
std::vector<float> naive_image(const FakeDataset& fake, std::int64_t record, const Choice& choice, int cutout) {
  std::vector<float> image;
  for (int c = 0; c < kChannels; ++c)
    for (int y = 0; y < kHeight; ++y)
      for (int x = 0; x < kWidth; ++x) {
        const int source_y = y + choice.down;
        const int source_x = (choice.mirrored ? kWidth - 1 - x : x) + choice.right;
        const bool inside = source_y >= 0 && source_y < kHeight && source_x >= 0 && source_x < kWidth;
        const int byte =
            inside ? FakeDataset::pixel(MIXOP_SPLIT_TRAIN, record, (c * kHeight + source_y) * kWidth + source_x) : 0;
        const float value = (static_cast<float>(byte) / 255.0f - fake.info.mean[c]) / fake.info.deviation[c];
        const bool cut = y >= choice.cut_y - cutout / 2 && y < choice.cut_y - cutout / 2 + cutout &&
                         x >= choice.cut_x - cutout / 2 && x < choice.cut_x - cutout / 2 + cutout;
        image.push_back(cut ? 0.0f : value);
      }
  return image;
}

std::vector<float> augmented(const ImagePipeline& images, Sample sample, const Augmentation& augmentation) {
  std::vector<float> image(static_cast<std::size_t>(images.image_size()));
  std::int64_t target = -1;
  images.fill_batch({&sample, 1}, augmentation, image.data(), &target);
  CHECK(target == sample.record % 3);
  return image;
}

}  // namespace

TEST_CASE("a split is kept in memory as bytes", "[data][images]") {
  FakeDataset fake;
  const ImagePipeline images(fake.handle(), MIXOP_SPLIT_TRAIN, 7);
  CHECK(fake.closed == 1);
  CHECK(images.size() == 7);
  CHECK(images.channels() == 2);
  CHECK(images.height() == 6);
  CHECK(images.width() == 5);
  const auto records = mixop::stored_records(fake.handle(), MIXOP_SPLIT_TRAIN, 7);
  CHECK(records->target(5) == 2);
  const std::int64_t shown = records->show(6, [](std::int32_t height, std::int32_t width, const std::uint8_t* pixels) {
    CHECK((height == kHeight && width == kWidth));
    for (int c = 0; c < kChannels; ++c)
      for (int i = 0; i < kHeight * kWidth; ++i)
        CHECK(pixels[i * kChannels + c] == FakeDataset::pixel(MIXOP_SPLIT_TRAIN, 6, c * kHeight * kWidth + i));
  });
  CHECK(shown == 6);
  CHECK(ImagePipeline(fake.handle(), MIXOP_SPLIT_TEST).size() == 5);
}

TEST_CASE("evaluation normalises and does nothing else", "[data][images]") {
  FakeDataset fake;
  const ImagePipeline images(fake.handle(), MIXOP_SPLIT_TRAIN);
  for (std::int64_t record = 0; record < 12; ++record)
    CHECK(augmented(images, {record, 4}, {}) == naive_image(fake, record, {}, 0));
}

TEST_CASE("every random crop and flip is one of the possible ones and all of them occur", "[data][images]") {
  FakeDataset fake;
  const ImagePipeline images(fake.handle(), MIXOP_SPLIT_TRAIN);
  const Augmentation augmentation{2, true, 0, 3};
  std::map<std::vector<float>, int> possible;
  for (int down = -2; down <= 2; ++down)
    for (int right = -2; right <= 2; ++right)
      for (const bool mirrored : {false, true}) possible[naive_image(fake, 1, {down, right, mirrored}, 0)] = 0;
  REQUIRE(possible.size() == 50);
  for (std::uint64_t epoch = 0; epoch < 5000; ++epoch) {
    const auto found = possible.find(augmented(images, {1, epoch}, augmentation));
    REQUIRE(found != possible.end());
    ++found->second;
  }
  // 100 expected each, standard deviation 10.
  for (const auto& [image, times] : possible) CHECK(std::abs(times - 100) < 50);
}

TEST_CASE("a cutout's centre is uniform and its square is clipped at the border", "[data][images]") {
  FakeDataset fake;
  const ImagePipeline images(fake.handle(), MIXOP_SPLIT_TRAIN);
  const int length = GENERATE(1, 2, 3, 4);
  const Augmentation augmentation{0, false, length, 11};
  std::map<std::vector<float>, int> centres;
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) ++centres[naive_image(fake, 2, {0, 0, false, y, x}, length)];
  std::map<std::vector<float>, int> seen;
  for (std::uint64_t epoch = 0; epoch < 3000; ++epoch) ++seen[augmented(images, {2, epoch}, augmentation)];
  REQUIRE(seen.size() == centres.size());
  // 100 expected a centre, standard deviation 10.
  for (const auto& [image, times] : seen) {
    REQUIRE(centres.contains(image));
    CHECK(std::abs(times - 100 * centres[image]) < 50 * centres[image]);
  }
}

TEST_CASE("crop, flip and cutout together are the naive computation", "[data][images]") {
  FakeDataset fake;
  const ImagePipeline images(fake.handle(), MIXOP_SPLIT_TRAIN);
  std::set<std::vector<float>> possible;
  for (int down = -1; down <= 1; ++down)
    for (int right = -1; right <= 1; ++right)
      for (const bool mirrored : {false, true})
        for (int y = 0; y < kHeight; ++y)
          for (int x = 0; x < kWidth; ++x) possible.insert(naive_image(fake, 3, {down, right, mirrored, y, x}, 4));
  for (std::uint64_t epoch = 0; epoch < 200; ++epoch)
    REQUIRE(possible.contains(augmented(images, {3, epoch}, {1, true, 4, 5})));
}

TEST_CASE("augmentation is a function of seed, epoch and record alone", "[data][images]") {
  FakeDataset fake;
  const ImagePipeline images(fake.handle(), MIXOP_SPLIT_TRAIN), fewer(fake.handle(), MIXOP_SPLIT_TRAIN, 5);
  const Augmentation augmentation{2, true, 2, 1};
  const std::vector<Sample> batch = {{0, 0}, {4, 9}, {4, 10}, {3, 9}};
  std::vector<float> together(4 * 60);
  std::vector<std::int64_t> targets(4);
  images.fill_batch(batch, augmentation, together.data(), targets.data());
  CHECK(targets == std::vector<std::int64_t>{0, 1, 1, 0});
  for (std::size_t i = 0; i < 4; ++i) {
    const std::vector<float> within(together.begin() + static_cast<std::ptrdiff_t>(i) * 60,
                                    together.begin() + static_cast<std::ptrdiff_t>(i + 1) * 60);
    CHECK(augmented(images, batch[i], augmentation) == within);
    CHECK(augmented(fewer, batch[i], augmentation) == within);
  }
  int differ = 0;
  Augmentation other = augmentation;
  other.seed = 2;
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch)
    differ += augmented(images, {4, epoch}, augmentation) != augmented(images, {4, epoch}, other) ? 1 : 0;
  CHECK(differ > 15);
}

TEST_CASE("sets that cannot be made are usage errors", "[data][images][misuse]") {
  FakeDataset fake;
  const auto error = [&](int split, std::int64_t limit) {
    return error_of([&] { ImagePipeline(fake.handle(), split, limit); });
  };
  CHECK(error(MIXOP_SPLIT_VALID, 0).what() ==
        std::string("data set 'fake', split 'valid': it has no records; choose a data set that has this split"));
  CHECK(error(MIXOP_SPLIT_TRAIN, 13).what() ==
        std::string("data set 'fake', split 'train': asked for the first 13 records but it has 12; give 0 (all) to "
                    "12"));
  CHECK(error(MIXOP_SPLIT_TRAIN, -1).code() == ErrorCode::usage);
  fake.info.records[MIXOP_SPLIT_TRAIN] = std::int64_t{1} << 40;
  CHECK(error(MIXOP_SPLIT_TRAIN, 0).what() ==
        std::string("data set 'fake', split 'train': 1099511627776 images of 60 bytes do not fit in memory; read fewer "
                    "records (data.train_limit)"));
  fake.info.kind = MIXOP_DATA_TEXT;
  CHECK(error(MIXOP_SPLIT_TRAIN, 0).what() ==
        std::string("data set 'fake', split 'train': expected images, found text; choose a data set of images"));
}

TEST_CASE("augmentation that does not fit the images is a usage error", "[data][images][misuse]") {
  FakeDataset fake;
  const ImagePipeline images(fake.handle(), MIXOP_SPLIT_TRAIN);
  std::vector<float> image(60);
  std::int64_t target = 0;
  const auto error = [&](Sample sample, const Augmentation& augmentation) {
    return error_of([&] { images.fill_batch({&sample, 1}, augmentation, image.data(), &target); });
  };
  CHECK(error({0, 0}, {6, false, 0, 0}).what() ==
        std::string("the crop padding must be 0 to 5 for images whose shorter side is 5, found 6"));
  CHECK(error({0, 0}, {0, false, -1, 0}).what() ==
        std::string("the cutout length must be 0 to 10 for images whose shorter side is 5, found -1"));
  CHECK(error({12, 0}, {}).what() == std::string("record 12 of a set of 12"));
  CHECK(error({-1, 0}, {}).code() == ErrorCode::usage);
}
