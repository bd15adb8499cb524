#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "host/data/image_source.hpp"
#include "host/data/pixel_records.hpp"

namespace mixop {
namespace {

class DecodedRecords final : public PixelRecords {
 public:
  DecodedRecords(const DatasetHandle& data, int split, std::int64_t limit, std::int64_t boundary)
      : data_(data), split_(split), boundary_(boundary) {
    targets_.resize(static_cast<std::size_t>(images_of(data, split, limit)));
    data.read(split, 0, size(), nullptr, targets_.data());
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(targets_.size()); }
  std::int64_t target(std::int64_t record) const override { return targets_.at(static_cast<std::size_t>(record)); }
  bool decodes() const override { return true; }
  std::int64_t replaced() const override {
    const std::lock_guard lock(mutex_);
    return static_cast<std::int64_t>(corrupt_.size());
  }
  bool is_replaced(std::int64_t record) const override {
    const std::lock_guard lock(mutex_);
    return corrupt_.contains(record);
  }

  std::int64_t show(std::int64_t first, const ImageSink& sink) const override {
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

 private:
  /// The records that may stand for each other, this one among them.
  RecordRange part_of(std::int64_t record) const {
    return record < boundary_ ? RecordRange{0, std::min(boundary_, size())}
                              : RecordRange{boundary_, size() - boundary_};
  }

  const DatasetHandle& data_;
  const int split_;
  const std::int64_t boundary_;
  std::vector<std::int64_t> targets_;
  mutable std::mutex mutex_;
  mutable std::set<std::int64_t> corrupt_;  // records found so far
};

}  // namespace

std::unique_ptr<PixelRecords> decoded_records(const DatasetHandle& data, int split, std::int64_t limit,
                                              std::int64_t boundary) {
  return std::make_unique<DecodedRecords>(data, split, limit, boundary);
}

}  // namespace mixop
