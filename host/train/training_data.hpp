#pragma once

#include <array>
#include <functional>
#include <memory>

#include "host/config/config.hpp"
#include "host/data/batch_stream.hpp"
#include "host/data/image_source.hpp"
#include "host/train/discrete_model.hpp"

namespace mixop {

/// The records that a network is trained and measured on: of the first data.train_limit train records the first
/// floor(data.train_portion * N) train it and the others are held out; beside them there is the test split.
enum class Records { train, valid, test };

/// "train", "valid" or "test".
const char* records_name(Records records);

/// Batches of them as tensors. Splits are opened when they are asked for.
class TrainingData {
 public:
  /// Throws usage for text, and where no record is left to train.
  TrainingData(const DatasetHandle& data, const Config& config, at::ScalarType type, at::Device device);

  /// 0 where there are none.
  std::int64_t count(Records records) const { return range(records).count; }
  std::int64_t steps_per_epoch() const;
  /// Batch `step` of an epoch, shuffled and augmented, a pure function of the seed and its position; the epoch's last
  /// one may be short.
  Batch train(std::int64_t epoch, std::int64_t step);
  /// All records in file order, as they are, but those that cannot be decoded; ends where `visit` answers false.
  void for_each(Records records, std::int64_t batch, const std::function<bool(const Batch&)>& visit);
  /// Images so far that others stand for, see ImageSource::replaced.
  std::int64_t replaced() const;

 private:
  const RecordRange& range(Records records) const { return ranges_[static_cast<std::size_t>(records)]; }
  const ImageSource& source(Records records);

  const DatasetHandle& data_;
  Config config_;
  at::ScalarType type_;
  at::Device device_;
  std::array<RecordRange, 3> ranges_;
  std::unique_ptr<ImageSource> train_images_, test_images_;
  std::unique_ptr<SampleOrder> order_;
  std::unique_ptr<BatchStream> train_stream_;
};

/// The shape and classes of an image data set.
NetworkData network_data(const DatasetInfo& info);

}  // namespace mixop
