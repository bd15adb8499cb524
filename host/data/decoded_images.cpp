#include "host/data/decoded_images.hpp"

#include <algorithm>
#include <string>

#include "host/data/colours.hpp"
#include "host/data/crops.hpp"
#include "host/data/resample.hpp"

namespace mixop {

DecodedImages::DecodedImages(const DatasetHandle& data, int split, std::int64_t limit, std::int64_t boundary)
    : data_(data), split_(split), boundary_(boundary), normalised_(normalisation_tables(data.info())) {
  targets_.resize(static_cast<std::size_t>(images_of(data, split, limit)));
  data.read(split, 0, size(), nullptr, targets_.data());
}

std::int64_t DecodedImages::replaced() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(corrupt_.size());
}

bool DecodedImages::is_replaced(std::int64_t record) const {
  const std::lock_guard lock(mutex_);
  return corrupt_.contains(record);
}

void DecodedImages::fill_batch(std::span<const Sample> samples, const Augmentation& augmentation, float* images,
                               std::int64_t* targets) const {
  check_augmentation(augmentation, std::min(height(), width()));
  for (const Sample& sample : samples) {
    if (sample.record < 0 || sample.record >= size())
      throw Error(ErrorCode::usage,
                  "record " + std::to_string(sample.record) + " of a set of " + std::to_string(size()));
    *targets++ = targets_[static_cast<std::size_t>(fill_image(sample, augmentation, images))];
    images += image_size();
  }
}

RecordRange DecodedImages::part_of(std::int64_t record) const {
  return record < boundary_ ? RecordRange{0, std::min(boundary_, size())} : RecordRange{boundary_, size() - boundary_};
}

std::int64_t DecodedImages::decode(std::int64_t first, const ImageSink& sink) const {
  const RecordRange part = part_of(first);
  for (std::int64_t tried = 0; tried < part.count; ++tried) {
    const std::int64_t record = part.first + (first - part.first + tried) % part.count;
    try {
      data_.decode(split_, record, sink);
      return record;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::bad_data || !data_.info().many_sizes->skip_corrupt) throw;
    }
    const std::lock_guard lock(mutex_);
    corrupt_.insert(record);
  }
  throw Error(ErrorCode::bad_data, "data set '" + data_.name() + "', split '" + split_name(split_) +
                                       "': none of the records " + std::to_string(part.first) + " to " +
                                       std::to_string(part.first + part.count - 1) +
                                       " can be decoded; mixop data check says why");
}

std::int64_t DecodedImages::fill_image(const Sample& sample, const Augmentation& augmentation, float* image) const {
  RandomStream random = augmentation_stream(augmentation, sample);
  // All draws are made whatever is switched on, so that one setting does not change the others' draws.
  RandomStream crop_draws(random.next()), colour_draws(random.next());
  const bool mirrored = (random.next() >> 63) != 0 && augmentation.horizontal_flip;
  const auto centre_y = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(height())));
  const auto centre_x = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(width())));
  RandomStream policy_draws(random.next());

  RgbImage shown_image{height(), width(), {}};
  std::vector<std::uint8_t>& pixels = shown_image.pixels;
  const std::int64_t shown = decode(sample.record, [&](std::int32_t h, std::int32_t w, const std::uint8_t* decoded) {
    const ImageView whole{decoded, h, w, std::int64_t{w} * channels()};
    if (augmentation.random_crop) {
      const Box box = random_crop(h, w, *augmentation.random_crop, crop_draws);
      pixels = resample(cropped(whole, box), height(), width(), {0, 0, height(), width()});
    } else {
      const CentralCrop crop = central_crop(h, w, data_.info().many_sizes->resize, height(), width());
      pixels = resample(whole, crop.height, crop.width, crop.window);
    }
  });
  jitter_colours(pixels, augmentation.jitter, colour_draws);
  if (mirrored) mirror(shown_image);
  apply_policy(shown_image, augmentation.policy, policy_draws);
  normalise(pixels, normalised_, image);
  if (augmentation.cutout_length > 0)
    cut_out({image, channels(), height(), width()}, centre_y, centre_x, augmentation.cutout_length);
  return shown;
}

}  // namespace mixop
