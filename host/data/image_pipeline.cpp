#include "host/data/image_pipeline.hpp"

#include <algorithm>
#include <string>

#include "host/data/colours.hpp"
#include "host/data/policy.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

/// All draws of one image, which are made whatever is switched on, so that one setting does not change the others'.
struct ImageDraws {
  ImageDraws(RandomStream random, std::int32_t height, std::int32_t width, bool coloured)
      : crop(random.next()),
        colours(coloured ? random.next() : 0),
        mirrored((random.next() >> 63) != 0),
        centre_y(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(height)))),
        centre_x(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(width)))),
        policy(random.next()) {}

  RandomStream crop, colours;
  bool mirrored;
  std::int64_t centre_y, centre_x;  // of the cutout
  RandomStream policy;
};

}  // namespace

ImagePipeline::ImagePipeline(const DatasetHandle& data, int split, std::int64_t limit, std::int64_t boundary)
    : channels_(data.info().channels),
      height_(data.info().height),
      width_(data.info().width),
      normalised_(normalisation_tables(data.info())) {
  const std::optional<ManySizes>& sizes = data.info().many_sizes;
  records_ = sizes ? decoded_records(data, split, limit, boundary) : stored_records(data, split, limit);
  framing_ = sizes ? resized_crop(height_, width_, sizes->resize) : padded_crop(channels_);
}

void ImagePipeline::fill_batch(std::span<const Sample> samples, const Augmentation& augmentation, float* images,
                               std::int64_t* targets) const {
  check_augmentation(augmentation, std::min(height_, width_));
  for (const Sample& sample : samples) {
    if (sample.record < 0 || sample.record >= size())
      throw Error(ErrorCode::usage,
                  "record " + std::to_string(sample.record) + " of a set of " + std::to_string(size()));
    *targets++ = records_->target(fill_image(sample, augmentation, images));
    images += image_size();
  }
}

std::int64_t ImagePipeline::fill_image(const Sample& sample, const Augmentation& augmentation, float* image) const {
  ImageDraws draws(augmentation_stream(augmentation, sample), height_, width_, records_->decodes());
  RgbImage shown{height_, width_, {}};
  const std::int64_t record =
      records_->show(sample.record, [&](std::int32_t height, std::int32_t width, const std::uint8_t* pixels) {
        framing_->frame(height, width, pixels, augmentation, draws.crop, shown.pixels);
      });
  if (records_->decodes()) jitter_colours(shown.pixels, augmentation.jitter, draws.colours);
  if (draws.mirrored && augmentation.horizontal_flip) mirror(shown, channels_);
  apply_policy(shown, augmentation.policy, draws.policy);
  normalise(shown.pixels, normalised_, image);
  if (augmentation.cutout_length > 0)
    cut_out({image, channels_, height_, width_}, draws.centre_y, draws.centre_x, augmentation.cutout_length);
  return record;
}

}  // namespace mixop
