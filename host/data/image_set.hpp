#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "host/data/image_source.hpp"

namespace mixop {

/// A split of images of one size, whole in memory as bytes. It needs neither the handle nor the plugin any more.
class ImageSet final : public ImageSource {
 public:
  /// Reads the first `limit` records (0: all). Throws as images_of does, and where they do not fit in memory.
  ImageSet(const DatasetHandle& data, int split, std::int64_t limit = 0);

  std::int64_t size() const override { return static_cast<std::int64_t>(targets_.size()); }
  std::int32_t channels() const override { return channels_; }
  std::int32_t height() const override { return height_; }
  std::int32_t width() const override { return width_; }
  bool decodes() const override { return false; }
  std::int64_t replaced() const override { return 0; }
  bool is_replaced(std::int64_t) const override { return false; }
  std::int64_t target(std::int64_t record) const { return targets_.at(static_cast<std::size_t>(record)); }
  /// The raw bytes of a record, [channels][height][width].
  std::span<const std::uint8_t> pixels(std::int64_t record) const;

  /// In this order: crop, flip, policy, normalisation, cutout (a centre uniform over the image).
  void fill_batch(std::span<const Sample> samples, const Augmentation& augmentation, float* images,
                  std::int64_t* targets) const override;

 private:
  void fill_image(const Sample& sample, const Augmentation& augmentation, float* image) const;
  /// How a record is moved before it is normalised.
  struct Placing {
    std::int32_t down, right;
    bool mirrored;
  };
  void fill_row(const std::uint8_t* plane, const NormalisationTable& table, std::int32_t y, const Placing& placing,
                float* row) const;
  RgbImage placed(const std::uint8_t* planes, const Placing& placing) const;

  std::int32_t channels_, height_, width_;
  std::vector<NormalisationTable> normalised_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::int64_t> targets_;
};

}  // namespace mixop
