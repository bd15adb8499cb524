#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <span>
#include <vector>

#include "host/data/image_source.hpp"

namespace mixop {

/// A split of images of many sizes, each decoded when it is asked for and made one of the networks' size.
class DecodedImages final : public ImageSource {
 public:
  /// The first `limit` records (0: all), of which none before `boundary` stands for one from there on, nor the other
  /// way round. `data` must outlive it. Throws as images_of does.
  DecodedImages(const DatasetHandle& data, int split, std::int64_t limit = 0, std::int64_t boundary = 0);

  std::int64_t size() const override { return static_cast<std::int64_t>(targets_.size()); }
  std::int32_t channels() const override { return data_.info().channels; }
  std::int32_t height() const override { return data_.info().height; }
  std::int32_t width() const override { return data_.info().width; }
  bool decodes() const override { return true; }
  std::int64_t replaced() const override;
  bool is_replaced(std::int64_t record) const override;
  /// In this order: crop and resize (random in training, else central), colours, flip, policy, normalisation, cutout.
  /// Where the data set skips what cannot be decoded, the next record of its part that can be, with its target, stands
  /// in its place.
  void fill_batch(std::span<const Sample> samples, const Augmentation& augmentation, float* images,
                  std::int64_t* targets) const override;

 private:
  /// The records that may stand for each other, this one among them.
  RecordRange part_of(std::int64_t record) const;
  /// Gives `sink` the record's image, or that of the next one of its part that can be decoded; answers which it is.
  std::int64_t decode(std::int64_t first, const ImageSink& sink) const;
  std::int64_t fill_image(const Sample& sample, const Augmentation& augmentation, float* image) const;

  const DatasetHandle& data_;
  const int split_;
  const std::int64_t boundary_;
  std::vector<NormalisationTable> normalised_;
  std::vector<std::int64_t> targets_;
  mutable std::mutex mutex_;
  mutable std::set<std::int64_t> corrupt_;  // records found so far
};

}  // namespace mixop
