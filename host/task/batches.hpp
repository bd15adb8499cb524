#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "host/config/config.hpp"
#include "host/data/batch_stream.hpp"
#include "host/data/dataset_handle.hpp"
#include "host/data/sample_order.hpp"
#include "host/runtime/network.hpp"
#include "host/task/search_data.hpp"

namespace mixop {

/// A batch as tensors; takes its memory over.
Batch batch_of(ImageBatch batch, const ImageSource& source, at::ScalarType type, at::Device device);

/// The records of a range in file order, as they are, batch by batch, until `visit` returns false.
void for_each_batch(const ImageSource& source, RecordRange range, std::int64_t batch, std::int64_t workers,
                    at::ScalarType type, at::Device device, const std::function<bool(const Batch&)>& visit);

/// Images: the streams run over the two halves of the train split.
class SearchBatches final : public SearchData {
 public:
  SearchBatches(const DatasetHandle& data, const Config& config, at::ScalarType type, at::Device device);

  std::int64_t steps_in(std::int64_t) const override { return steps_per_epoch(); }
  StepData at(std::int64_t epoch, std::int64_t step_in_epoch, std::int64_t step) override {
    return {train(epoch, step_in_epoch), valid(step), 1};
  }
  std::int64_t smallest_batch() const override;
  void for_each_valid(const std::function<bool(const Batch&)>& visit) const override;
  std::int64_t valid_count() const override { return split_.alphas.count; }
  std::int64_t replaced() const override { return images_->replaced(); }
  const ImageSource& images() const { return *images_; }

  std::int64_t steps_per_epoch() const { return weights_order_.steps_per_epoch(batch_); }
  /// Batch `step` of an epoch of the weights' half, augmented; the epoch's last one may be short.
  Batch train(std::int64_t epoch, std::int64_t step);
  /// Batch number `step` of the alphas' half, augmented: a stream that runs on over the epochs, in batches of at most
  /// that half.
  Batch valid(std::int64_t step);

 private:
  std::int64_t batch_, workers_;
  at::ScalarType type_;
  at::Device device_;
  TrainSplit split_;
  std::unique_ptr<ImageSource> images_;
  SampleOrder weights_order_, alphas_order_;
  BatchStream weights_stream_, alphas_stream_;
};

/// The augmentation that the data set publishes, as the config changes it.
Augmentation training_augmentation(const DatasetInfo& info, const DataConfig& config, std::int64_t seed);

}  // namespace mixop
