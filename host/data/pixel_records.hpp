#pragma once

#include <cstdint>
#include <memory>

#include "host/data/dataset_handle.hpp"

namespace mixop {

/// The records of a split of images: their targets, and their pixels as bytes [height][width][channels]. Immutable but
/// for what it notes of records that cannot be decoded: several threads may ask at once.
class PixelRecords {
 public:
  virtual ~PixelRecords() = default;
  virtual std::int64_t size() const = 0;
  virtual std::int64_t target(std::int64_t record) const = 0;
  /// Gives `sink` the record's image, or that of another which stands in its place; returns which it is.
  virtual std::int64_t show(std::int64_t record, const ImageSink& sink) const = 0;
  /// Whether an image is work enough to be made ahead by other threads.
  virtual bool decodes() const = 0;
  /// Records seen so far that cannot be decoded and that others stand for; each counts once.
  virtual std::int64_t replaced() const { return 0; }
  /// Whether a record is one of those.
  virtual bool is_replaced(std::int64_t) const { return false; }

 protected:
  PixelRecords() = default;
};

/// The first `limit` records (0: all) of a set of one size, whole in memory. It needs neither the handle nor the plugin
/// any more. Throws as images_of does, and where they do not fit in memory.
std::unique_ptr<PixelRecords> stored_records(const DatasetHandle& data, int split, std::int64_t limit);

/// Those of a set of many sizes, each decoded when it is asked for. Where the data set skips what cannot be decoded,
/// the next record of its part that can be stands in its place; the parts are before and from `boundary` on. `data`
/// must outlive it.
std::unique_ptr<PixelRecords> decoded_records(const DatasetHandle& data, int split, std::int64_t limit,
                                              std::int64_t boundary);

}  // namespace mixop
