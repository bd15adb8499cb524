#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "host/data/image_source.hpp"
#include "host/data/pixel_records.hpp"

namespace mixop {
namespace {

// Keeps count * record_bytes far from overflow; more than this does not fit a machine's memory either.
constexpr std::int64_t kMaxSetBytes = std::int64_t{1} << 42;
constexpr std::int64_t kChunk = 256;  // records that are turned from planes to pixels at once

std::string name_of(const DatasetHandle& data, int split) {
  return "data set '" + data.name() + "', split '" + split_name(split) + "'";
}

std::int64_t images_in_memory(const DatasetHandle& data, int split, std::int64_t limit) {
  const std::int64_t count = images_of(data, split, limit), bytes = data.info().record_bytes();
  if (count > kMaxSetBytes / bytes)
    throw Error(ErrorCode::usage, name_of(data, split) + ": " + std::to_string(count) + " images of " +
                                      std::to_string(bytes) +
                                      " bytes do not fit in memory; read fewer records (data.train_limit)");
  return count;
}

/// Planes [channels][n] as pixels [n][channels].
void interleave(const std::uint8_t* planes, std::int64_t channels, std::int64_t n, std::uint8_t* pixels) {
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t i = 0; i < n; ++i) pixels[i * channels + c] = planes[c * n + i];
}

class StoredRecords final : public PixelRecords {
 public:
  StoredRecords(const DatasetHandle& data, int split, std::int64_t limit)
      : height_(data.info().height), width_(data.info().width), bytes_(data.info().record_bytes()) {
    const std::int64_t count = images_in_memory(data, split, limit);
    try {
      pixels_.resize(static_cast<std::size_t>(count * bytes_));
      targets_.resize(static_cast<std::size_t>(count));
    } catch (const std::bad_alloc&) {
      throw Error(ErrorCode::failed, name_of(data, split) + ": no memory for " + std::to_string(count * bytes_) +
                                         " bytes; read fewer records (data.train_limit)");
    }
    std::vector<std::uint8_t> planes(static_cast<std::size_t>(std::min(count, kChunk) * bytes_));
    for (std::int64_t first = 0; first < count; first += kChunk) {
      const std::int64_t some = std::min(kChunk, count - first);
      data.read(split, first, some, planes.data(), targets_.data() + first);
      for (std::int64_t i = 0; i < some; ++i)
        interleave(planes.data() + i * bytes_, data.info().channels, std::int64_t{height_} * width_,
                   pixels_.data() + (first + i) * bytes_);
    }
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(targets_.size()); }
  std::int64_t target(std::int64_t record) const override { return targets_.at(static_cast<std::size_t>(record)); }
  std::int64_t show(std::int64_t record, const ImageSink& sink) const override {
    sink(height_, width_, pixels_.data() + record * bytes_);
    return record;
  }
  bool decodes() const override { return false; }

 private:
  std::int32_t height_, width_;
  std::int64_t bytes_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::int64_t> targets_;
};

}  // namespace

std::unique_ptr<PixelRecords> stored_records(const DatasetHandle& data, int split, std::int64_t limit) {
  return std::make_unique<StoredRecords>(data, split, limit);
}

}  // namespace mixop
