#include "host/data/image_set.hpp"

#include <algorithm>
#include <new>
#include <string>

#include "mixop/random.hpp"

namespace mixop {
namespace {

// Keeps count * record_bytes far from overflow; more than this does not fit a machine's memory either.
constexpr std::int64_t kMaxSetBytes = std::int64_t{1} << 42;

std::int64_t images_in_memory(const DatasetHandle& data, int split, std::int64_t limit) {
  const std::int64_t count = images_of(data, split, limit);
  if (count > kMaxSetBytes / data.info().record_bytes())
    throw Error(ErrorCode::usage, "data set '" + data.name() + "', split '" + split_name(split) +
                                      "': " + std::to_string(count) + " images of " +
                                      std::to_string(data.info().record_bytes()) +
                                      " bytes do not fit in memory; read fewer records (data.train_limit)");
  return count;
}

}  // namespace

ImageSet::ImageSet(const DatasetHandle& data, int split, std::int64_t limit)
    : channels_(data.info().channels),
      height_(data.info().height),
      width_(data.info().width),
      normalised_(normalisation_tables(data.info())) {
  const std::int64_t count = images_in_memory(data, split, limit);
  try {
    pixels_.resize(static_cast<std::size_t>(count * image_size()));
    targets_.resize(static_cast<std::size_t>(count));
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::failed, "data set '" + data.name() + "', split '" + split_name(split) + "': no memory for " +
                                       std::to_string(count * image_size()) +
                                       " bytes; read fewer records (data.train_limit)");
  }
  data.read(split, 0, count, pixels_.data(), targets_.data());
}

std::span<const std::uint8_t> ImageSet::pixels(std::int64_t record) const {
  if (record < 0 || record >= size())
    throw Error(ErrorCode::usage, "record " + std::to_string(record) + " of a set of " + std::to_string(size()));
  return {pixels_.data() + record * image_size(), static_cast<std::size_t>(image_size())};
}

void ImageSet::fill_batch(std::span<const Sample> samples, const Augmentation& augmentation, float* images,
                          std::int64_t* targets) const {
  check_augmentation(augmentation, std::min(height_, width_));
  for (const Sample& sample : samples) {
    fill_image(sample, augmentation, images);
    images += image_size();
    *targets++ = target(sample.record);
  }
}

void ImageSet::fill_image(const Sample& sample, const Augmentation& augmentation, float* image) const {
  const std::uint8_t* planes = pixels(sample.record).data();
  RandomStream random = augmentation_stream(augmentation, sample);
  // All draws are made whatever is switched on, so that one setting does not change the others' draws.
  const std::uint64_t padding = static_cast<std::uint64_t>(augmentation.crop_padding);
  RandomStream crop(random.next());
  Placing placing{};
  placing.down = static_cast<std::int32_t>(crop.below(2 * padding + 1) - padding);
  placing.right = static_cast<std::int32_t>(crop.below(2 * padding + 1) - padding);
  placing.mirrored = (random.next() >> 63) != 0 && augmentation.horizontal_flip;
  const auto centre_y = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(height_)));
  const auto centre_x = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(width_)));
  RandomStream policy_draws(random.next());

  if (augmentation.policy != Policy::none) {
    RgbImage changed = placed(planes, placing);
    apply_policy(changed, augmentation.policy, policy_draws);
    normalise(changed.pixels, normalised_, image);
  } else {
    float* row = image;
    for (const NormalisationTable& table : normalised_) {
      for (std::int32_t y = 0; y < height_; ++y, row += width_) fill_row(planes, table, y + placing.down, placing, row);
      planes += std::int64_t{height_} * width_;
    }
  }
  if (augmentation.cutout_length > 0)
    cut_out({image, channels_, height_, width_}, centre_y, centre_x, augmentation.cutout_length);
}

RgbImage ImageSet::placed(const std::uint8_t* planes, const Placing& placing) const {
  RgbImage image{height_, width_, std::vector<std::uint8_t>(static_cast<std::size_t>(image_size()))};
  const std::int64_t plane = std::int64_t{height_} * width_;
  for (std::int32_t y = 0; y < height_; ++y)
    for (std::int32_t x = 0; x < width_; ++x) {
      const std::int32_t row = y + placing.down, column = x + placing.right;
      if (row < 0 || row >= height_ || column < 0 || column >= width_) continue;
      for (std::int32_t c = 0; c < channels_; ++c)
        image.pixels[static_cast<std::size_t>((std::int64_t{y} * width_ + x) * channels_ + c)] =
            planes[c * plane + std::int64_t{row} * width_ + column];
    }
  if (placing.mirrored) mirror(image);
  return image;
}

void ImageSet::fill_row(const std::uint8_t* plane, const NormalisationTable& table, std::int32_t y,
                        const Placing& placing, float* row) const {
  const bool inside = y >= 0 && y < height_;
  const std::int32_t begin = inside ? std::clamp(-placing.right, 0, width_) : width_;
  const std::int32_t end = inside ? std::clamp(width_ - placing.right, begin, width_) : width_;
  const std::uint8_t* source = plane + (inside ? std::int64_t{y} * width_ : 0);
  std::fill(row, row + begin, table[0]);
  for (std::int32_t x = begin; x < end; ++x) row[x] = table[source[x + placing.right]];
  std::fill(row + end, row + width_, table[0]);
  if (placing.mirrored) std::reverse(row, row + width_);
}

}  // namespace mixop
