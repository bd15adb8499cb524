#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "host/data/dataset_handle.hpp"
#include "host/data/sample_order.hpp"

namespace mixop {

/// Training augmentation of images; the default is none, as evaluation needs it.
struct Augmentation {
  std::int32_t crop_padding = 0;   ///< random crop of the image's size after this zero padding of its raw bytes
  bool horizontal_flip = false;    ///< mirrored with probability 1/2
  std::int32_t cutout_length = 0;  ///< side of the square set to 0 after normalisation; 0: none
  std::uint64_t seed = 0;
};

/// A split of an image data set, whole in memory as bytes. Immutable, so several threads may fill batches from it; it
/// needs neither the handle nor the plugin any more.
class ImageSet {
 public:
  /// Reads the first `limit` records (0: all). Throws usage for text, an empty split or a limit beyond its records.
  ImageSet(const DatasetHandle& data, int split, std::int64_t limit = 0);

  std::int64_t size() const { return static_cast<std::int64_t>(targets_.size()); }
  std::int32_t channels() const { return channels_; }
  std::int32_t height() const { return height_; }
  std::int32_t width() const { return width_; }
  /// Floats of one image: channels * height * width.
  std::int64_t image_size() const { return std::int64_t{channels_} * height_ * width_; }
  std::int64_t target(std::int64_t record) const { return targets_.at(static_cast<std::size_t>(record)); }
  /// The raw bytes of a record, [channels][height][width].
  std::span<const std::uint8_t> pixels(std::int64_t record) const;

  /// Writes samples.size() images as float32 [N][channels][height][width], (byte / 255 - mean) / deviation, and their
  /// targets. In this order: crop, flip, normalisation, cutout (DeVries & Taylor 2017: a centre uniform over the image,
  /// the square clipped at the border); each a pure function of (seed, epoch, record).
  void fill_batch(std::span<const Sample> samples, const Augmentation& augmentation, float* images,
                  std::int64_t* targets) const;

 private:
  using Table = std::array<float, 256>;

  void fill_image(const Sample& sample, const Augmentation& augmentation, float* image) const;
  void fill_row(const std::uint8_t* plane, const Table& table, std::int32_t y, std::int32_t shift, bool mirrored,
                float* row) const;
  void cut_out(std::int64_t centre_y, std::int64_t centre_x, std::int32_t length, float* image) const;

  std::int32_t channels_, height_, width_;
  std::vector<Table> normalised_;  // per channel, by byte
  std::vector<std::uint8_t> pixels_;
  std::vector<std::int64_t> targets_;
};

}  // namespace mixop
