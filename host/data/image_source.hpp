#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "host/data/augmentation.hpp"
#include "host/data/dataset_handle.hpp"
#include "host/data/sample_order.hpp"

namespace mixop {

/// A split of a set of images, from which batches are made. Immutable: several threads may fill batches at once.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  virtual std::int64_t size() const = 0;
  virtual std::int32_t channels() const = 0;
  virtual std::int32_t height() const = 0;
  virtual std::int32_t width() const = 0;
  /// True where an image is work enough to be made ahead by other threads (see BatchStream).
  virtual bool decodes() const = 0;
  /// Records seen so far that cannot be decoded and that others stand for; each counts once.
  virtual std::int64_t replaced() const = 0;
  /// Whether a record is one of those.
  virtual bool is_replaced(std::int64_t record) const = 0;
  /// Writes samples.size() images as float32 [N][channels][height][width], (value / 255 - mean) / deviation, and their
  /// targets; each a pure function of (augmentation, epoch, record). Throws usage for a record or an augmentation that
  /// does not fit.
  virtual void fill_batch(std::span<const Sample> samples, const Augmentation& augmentation, float* images,
                          std::int64_t* targets) const = 0;

  /// Floats of one image: channels * height * width.
  std::int64_t image_size() const { return std::int64_t{channels()} * height() * width(); }

 protected:
  ImageSource() = default;
};

/// How many records the first `limit` (0: all) of a split are. Throws usage for text, an empty split or a limit beyond
/// its records.
std::int64_t images_of(const DatasetHandle& data, int split, std::int64_t limit);

/// The first `limit` records (0: all) of a split: in memory where all have one size, else decoded when they are asked
/// for; `data` must then outlive the source. Where one stands for another that cannot be decoded, both are before
/// `boundary` or neither is. Throws as images_of does.
std::unique_ptr<ImageSource> open_images(const DatasetHandle& data, int split, std::int64_t limit = 0,
                                         std::int64_t boundary = 0);

}  // namespace mixop
