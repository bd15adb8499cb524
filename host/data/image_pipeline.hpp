#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "host/data/framing.hpp"
#include "host/data/image_source.hpp"
#include "host/data/pixel_records.hpp"

namespace mixop {

/// A split of images, from records to batches: each is framed, its colours are changed, it is mirrored, changed by a
/// policy, normalised and cut out, in this order. What differs between data sets are the records and the framing.
class ImagePipeline final : public ImageSource {
 public:
  /// Throws as images_of does. See open_images().
  ImagePipeline(const DatasetHandle& data, int split, std::int64_t limit = 0, std::int64_t boundary = 0);

  std::int64_t size() const override { return records_->size(); }
  std::int32_t channels() const override { return channels_; }
  std::int32_t height() const override { return height_; }
  std::int32_t width() const override { return width_; }
  bool decodes() const override { return records_->decodes(); }
  std::int64_t replaced() const override { return records_->replaced(); }
  bool is_replaced(std::int64_t record) const override { return records_->is_replaced(record); }
  void fill_batch(std::span<const Sample> samples, const Augmentation& augmentation, float* images,
                  std::int64_t* targets) const override;

 private:
  /// Returns the record that is shown.
  std::int64_t fill_image(const Sample& sample, const Augmentation& augmentation, float* image) const;

  std::int32_t channels_, height_, width_;
  std::vector<NormalisationTable> normalised_;
  std::unique_ptr<PixelRecords> records_;
  std::unique_ptr<Framing> framing_;
};

}  // namespace mixop
