#pragma once

#include <array>

#include "host/data/batch_stream.hpp"
#include "host/data/image_source.hpp"
#include "host/task/training_data.hpp"

namespace mixop {

/// Images, shuffled and augmented in training. Splits are opened when they are asked for.
class ImageRecords final : public TrainingData {
 public:
  ImageRecords(const DatasetHandle& data, const Config& config, at::ScalarType type, at::Device device);

  std::int64_t count(Records records) const override { return range(records).count; }
  /// Those of any epoch; its last one may be short.
  std::int64_t steps_in(std::int64_t) const override { return (count(Records::train) - 1) / config_.train.batch + 1; }
  std::int64_t smallest_batch() const override { return (count(Records::train) - 1) % config_.train.batch + 1; }
  TrainBatch train(std::int64_t epoch, std::int64_t step) override;
  /// Leaves out those that cannot be decoded.
  void for_each(Records records, std::int64_t batch, const std::function<bool(const Batch&)>& visit) override;
  std::vector<Records> measured() const override;
  std::int64_t longest_sequence(std::int64_t) override { return 0; }
  std::int64_t measuring_batch() const override { return config_.train.batch; }
  std::int64_t evaluation_batch() const override { return config_.train.batch; }
  std::int64_t replaced() const override;

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

}  // namespace mixop
