#include "host/data/image_set.hpp"

#include <algorithm>
#include <new>
#include <string>

#include "mixop/random.hpp"

namespace mixop {
namespace {

// Keeps the augmentation's draws apart from the order's under one seed.
constexpr std::uint64_t kAugmentKey = 0x6175676d656e74;

// Keeps count * record_bytes far from overflow; more than this does not fit a machine's memory either.
constexpr std::int64_t kMaxSetBytes = std::int64_t{1} << 42;

std::int64_t records_to_read(const DatasetHandle& data, int split, std::int64_t limit) {
  const std::string where = "data set '" + data.name() + "', split '" + split_name(split) + "'";
  if (data.info().kind != MIXOP_DATA_IMAGES)
    throw Error(ErrorCode::usage, where + ": expected images, found text; choose a data set of images");
  const std::int64_t records = data.info().records[split];
  if (records == 0) throw Error(ErrorCode::usage, where + ": it has no records; choose a data set that has this split");
  if (limit < 0 || limit > records)
    throw Error(ErrorCode::usage, where + ": asked for the first " + std::to_string(limit) + " records but it has " +
                                      std::to_string(records) + "; give 0 (all) to " + std::to_string(records));
  const std::int64_t count = limit == 0 ? records : limit;
  if (count > kMaxSetBytes / data.info().record_bytes())
    throw Error(ErrorCode::usage, where + ": " + std::to_string(count) + " images of " +
                                      std::to_string(data.info().record_bytes()) +
                                      " bytes do not fit in memory; read fewer records (data.train_limit)");
  return count;
}

void check_augmentation(const Augmentation& augmentation, std::int32_t side) {
  const auto within = [side](const char* what, std::int32_t value, std::int32_t high) {
    if (value < 0 || value > high)
      throw Error(ErrorCode::usage, std::string(what) + " must be 0 to " + std::to_string(high) +
                                        " for images whose shorter side is " + std::to_string(side) + ", found " +
                                        std::to_string(value));
  };
  within("the crop padding", augmentation.crop_padding, side);
  within("the cutout length", augmentation.cutout_length, 2 * side);
}

}  // namespace

ImageSet::ImageSet(const DatasetHandle& data, int split, std::int64_t limit)
    : channels_(data.info().channels), height_(data.info().height), width_(data.info().width) {
  const std::int64_t count = records_to_read(data, split, limit);
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels_); ++c) {
    Table table;
    for (std::size_t byte = 0; byte < table.size(); ++byte)
      table[byte] = (static_cast<float>(byte) / 255.0f - data.info().mean[c]) / data.info().deviation[c];
    normalised_.push_back(table);
  }
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
  const std::uint8_t* plane = pixels(sample.record).data();
  RandomStream random(
      key_of({kAugmentKey, augmentation.seed, sample.epoch, static_cast<std::uint64_t>(sample.record)}));
  // All draws are made whatever is switched on, so that one setting does not change the others' draws.
  const std::uint64_t padding = static_cast<std::uint64_t>(augmentation.crop_padding);
  RandomStream crop(random.next());
  const auto down = static_cast<std::int32_t>(crop.below(2 * padding + 1) - padding);
  const auto right = static_cast<std::int32_t>(crop.below(2 * padding + 1) - padding);
  const bool mirrored = (random.next() >> 63) != 0 && augmentation.horizontal_flip;
  const auto centre_y = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(height_)));
  const auto centre_x = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(width_)));

  float* row = image;
  for (const Table& table : normalised_) {
    for (std::int32_t y = 0; y < height_; ++y, row += width_) fill_row(plane, table, y + down, right, mirrored, row);
    plane += std::int64_t{height_} * width_;
  }
  if (augmentation.cutout_length > 0) cut_out(centre_y, centre_x, augmentation.cutout_length, image);
}

void ImageSet::fill_row(const std::uint8_t* plane, const Table& table, std::int32_t y, std::int32_t shift,
                        bool mirrored, float* row) const {
  const bool inside = y >= 0 && y < height_;
  const std::int32_t begin = inside ? std::clamp(-shift, 0, width_) : width_;
  const std::int32_t end = inside ? std::clamp(width_ - shift, begin, width_) : width_;
  const std::uint8_t* source = plane + (inside ? std::int64_t{y} * width_ : 0);
  std::fill(row, row + begin, table[0]);
  for (std::int32_t x = begin; x < end; ++x) row[x] = table[source[x + shift]];
  std::fill(row + end, row + width_, table[0]);
  if (mirrored) std::reverse(row, row + width_);
}

void ImageSet::cut_out(std::int64_t centre_y, std::int64_t centre_x, std::int32_t length, float* image) const {
  const std::int64_t top = centre_y - length / 2, left = centre_x - length / 2;
  const std::int64_t y_begin = std::max<std::int64_t>(top, 0), y_end = std::min<std::int64_t>(top + length, height_);
  const std::int64_t x_begin = std::max<std::int64_t>(left, 0), x_end = std::min<std::int64_t>(left + length, width_);
  for (std::int32_t c = 0; c < channels_; ++c)
    for (std::int64_t y = y_begin; y < y_end; ++y) {
      float* row = image + (std::int64_t{c} * height_ + y) * width_;
      std::fill(row + x_begin, row + x_end, 0.0f);
    }
}

}  // namespace mixop
