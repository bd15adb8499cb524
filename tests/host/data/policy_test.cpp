#include "host/data/policy.hpp"

#include "host/data/image_pipeline.hpp"
#include "tests/host/data/fake_dataset.hpp"
#include "tests/plugins/datasets/support.hpp"

using namespace mixop;

namespace {

std::vector<float> shown(const ImageSource& images, Sample sample, const Augmentation& augmentation) {
  std::vector<float> image(static_cast<std::size_t>(images.image_size()));
  std::int64_t target = 0;
  images.fill_batch({&sample, 1}, augmentation, image.data(), &target);
  return image;
}

/// The bytes [height][width][3] that were normalised to these planes.
RgbImage bytes_of(const std::vector<float>& planes, const ImageSource& images, const DatasetInfo& info) {
  RgbImage image{images.height(), images.width(), std::vector<std::uint8_t>(planes.size())};
  const std::size_t plane = planes.size() / 3;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < plane; ++i)
      image.pixels[3 * i + c] =
          static_cast<std::uint8_t>((planes[c * plane + i] * info.deviation[c] + info.mean[c]) * 255.0f + 0.5f);
  return image;
}

/// Whether the policy sees the image after crop and flip, with the last of the sample's draws.
void check_place(const ImageSource& images, const DatasetInfo& info, Augmentation augmentation) {
  augmentation.seed = 3;
  int changed = 0;
  for (std::int64_t record = 0; record < images.size(); ++record) {
    const Sample sample{record, 2};
    RandomStream draws = augmentation_stream(augmentation, sample);
    for (int i = 0; i < (info.many_sizes ? 3 : 2); ++i) draws.next();
    draws.below(static_cast<std::uint64_t>(images.height()));
    draws.below(static_cast<std::uint64_t>(images.width()));
    RandomStream policy_draws(draws.next());
    augmentation.policy = Policy::none;
    const std::vector<float> before = shown(images, sample, augmentation);
    RgbImage expected = bytes_of(before, images, info);
    apply_policy(expected, Policy::autoaugment_cifar, policy_draws);
    augmentation.policy = Policy::autoaugment_cifar;
    const std::vector<float> after = shown(images, sample, augmentation);
    CHECK(bytes_of(after, images, info).pixels == expected.pixels);
    changed += after != before ? 1 : 0;
  }
  CHECK(changed > 0);
}

}  // namespace

TEST_CASE("a policy changes images of one size after crop and flip", "[data][policy]") {
  FakeDataset fake;
  fake.info.channels = 3;
  const DatasetHandle data = fake.handle();
  check_place(ImagePipeline(data, MIXOP_SPLIT_TRAIN), data.info(), {2, true, 0});
}

TEST_CASE("a policy changes images of many sizes after crop and flip", "[data][policy]") {
  FakeDataset fake;
  fake.have_many_sizes();
  fake.ramp = true;
  const DatasetHandle data = fake.handle();
  Augmentation augmentation{0, true, 0};
  augmentation.random_crop = data.info().many_sizes->crop;
  check_place(ImagePipeline(data, MIXOP_SPLIT_TRAIN), data.info(), augmentation);
}

TEST_CASE("the name of a policy that does not exist is refused", "[data][policy][misuse]") {
  CHECK(policy_of("none") == Policy::none);
  const Error error = error_of([] { policy_of("auto"); });
  CHECK(error.what() ==
        std::string("data.policy: expected none, autoaugment_cifar or autoaugment_imagenet, found 'auto'"));
  CHECK(error.code() == ErrorCode::usage);
}
