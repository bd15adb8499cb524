#include "host/task/image_records.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "host/task/batches.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

constexpr std::uint64_t kTrainOrder = 5;  // beside the streams of a search

std::array<RecordRange, 3> ranges_of(const DatasetHandle& data, const DataConfig& config) {
  const std::int64_t used = images_of(data, MIXOP_SPLIT_TRAIN, config.train_limit);
  const auto trained = static_cast<std::int64_t>(std::floor(config.train_portion * static_cast<double>(used)));
  if (trained < 1)
    throw Error(ErrorCode::usage, "data.train_portion " + std::to_string(config.train_portion) + " of " +
                                      std::to_string(used) +
                                      " train records leaves none to train; give a portion above 0, up to 1 (all)");
  return {{{0, trained}, {trained, used - trained}, {0, data.info().records[MIXOP_SPLIT_TEST]}}};
}

/// What a batch of the records from `first` on holds of them, and not of others in their place.
Batch without_replaced(const Batch& whole, const ImageSource& images, std::int64_t first) {
  std::vector<std::int64_t> own;
  for (std::int64_t i = 0; i < whole.target.size(0); ++i)
    if (!images.is_replaced(first + i)) own.push_back(i);
  if (static_cast<std::int64_t>(own.size()) == whole.target.size(0)) return whole;
  const at::Tensor rows = at::tensor(own, at::TensorOptions(at::kLong).device(whole.target.device()));
  return {whole.input.index_select(0, rows), whole.target.index_select(0, rows)};
}

}  // namespace

ImageRecords::ImageRecords(const DatasetHandle& data, const Config& config, at::ScalarType type, at::Device device)
    : data_(data), config_(config), type_(type), device_(device), ranges_(ranges_of(data, config.data)) {}

std::vector<Records> ImageRecords::measured() const {
  std::vector<Records> there;
  for (const Records records : {Records::valid, Records::test})
    if (count(records) > 0) there.push_back(records);
  return there;
}

const ImageSource& ImageRecords::source(Records records) {
  std::unique_ptr<ImageSource>& images = records == Records::test ? test_images_ : train_images_;
  if (images == nullptr)
    images = records == Records::test
                 ? open_images(data_, MIXOP_SPLIT_TEST)
                 : open_images(data_, MIXOP_SPLIT_TRAIN, config_.data.train_limit, range(Records::train).count);
  return *images;
}

TrainBatch ImageRecords::train(std::int64_t epoch, std::int64_t step) {
  const std::int64_t steps = steps_in(epoch);
  const ImageSource& images = source(Records::train);
  if (train_stream_ == nullptr) {
    order_ = std::make_unique<SampleOrder>(key_of({static_cast<std::uint64_t>(config_.seed), kTrainOrder}),
                                           range(Records::train));
    const auto samples = [this, steps](std::int64_t position) {
      return order_->epoch_batch(static_cast<std::uint64_t>(position / steps), position % steps, config_.train.batch);
    };
    train_stream_ =
        std::make_unique<BatchStream>(images, training_augmentation(data_.info(), config_.data, config_.seed), samples,
                                      config_.train.epochs * steps, worker_count(config_.data.workers));
  }
  return {batch_of(train_stream_->at(epoch * steps + step), images, type_, device_)};
}

void ImageRecords::for_each(Records records, std::int64_t batch, const std::function<bool(const Batch&)>& visit) {
  const ImageSource& images = source(records);
  std::int64_t first = range(records).first;
  for_each_batch(images, range(records), batch, worker_count(config_.data.workers), type_, device_,
                 [&](const Batch& whole) {
                   const Batch own = without_replaced(whole, images, first);
                   first += whole.target.size(0);
                   return own.target.size(0) == 0 || visit(own);
                 });
}

std::int64_t ImageRecords::replaced() const {
  std::int64_t count = 0;
  for (const auto* images : {&train_images_, &test_images_})
    if (*images != nullptr) count += (*images)->replaced();
  return count;
}

}  // namespace mixop
