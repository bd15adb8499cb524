#include "host/task/batches.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "mixop/random.hpp"

namespace mixop {
namespace {

// Streams of one seed that must not repeat each other.
enum Stream : std::uint64_t { kWeightsOrder = 1, kAlphasOrder = 2, kAugmentation = 3 };

std::uint64_t key_for(std::int64_t seed, Stream stream) { return key_of({static_cast<std::uint64_t>(seed), stream}); }

}  // namespace

Augmentation training_augmentation(const DatasetInfo& info, const DataConfig& config, std::int64_t seed) {
  Augmentation augmentation;
  augmentation.seed = key_for(seed, kAugmentation);
  if (config.augment) {
    augmentation.crop_padding = info.crop_padding;
    augmentation.horizontal_flip = info.horizontal_flip;
    if (info.many_sizes) {
      augmentation.random_crop = info.many_sizes->crop;
      augmentation.jitter = info.many_sizes->jitter;
    }
  }
  augmentation.policy = policy_of(config.policy);
  if (augmentation.policy != Policy::none) {
    if (info.channels != 3)
      throw Error(ErrorCode::usage, "data.policy: " + config.policy + " is for images of 3 channels, and these have " +
                                        std::to_string(info.channels) + "; set data.policy=none");
    augmentation.jitter = {};  // the policy's own colours stand in its place
  }
  augmentation.cutout_length = static_cast<std::int32_t>(config.cutout);
  return augmentation;
}

Batch batch_of(ImageBatch batch, const ImageSource& source, at::ScalarType type, at::Device device) {
  const auto count = static_cast<std::int64_t>(batch.targets.size());
  const at::Tensor targets = at::tensor(batch.targets, at::kLong);
  const std::shared_ptr<float[]> values = std::move(batch.images);
  const at::Tensor images = at::from_blob(
      values.get(), {count, source.channels(), source.height(), source.width()}, [values](void*) {}, at::kFloat);
  return {images.to(device, type), targets.to(device)};
}

void for_each_batch(const ImageSource& source, RecordRange range, std::int64_t batch, std::int64_t workers,
                    at::ScalarType type, at::Device device, const std::function<bool(const Batch&)>& visit) {
  const auto records = [&](std::int64_t position) {
    const std::int64_t first = position * batch;
    return in_order({range.first + first, std::min(batch, range.count - first)});
  };
  const std::int64_t batches = (range.count + batch - 1) / batch;
  BatchStream stream(source, {}, records, batches, workers);
  for (std::int64_t i = 0; i < batches; ++i)
    if (!visit(batch_of(stream.at(i), source, type, device))) return;
}

SearchBatches::SearchBatches(const DatasetHandle& data, const Config& config, at::ScalarType type, at::Device device)
    : batch_(config.search.batch),
      workers_(worker_count(config.data.workers)),
      type_(type),
      device_(device),
      split_(split_train(data.info().records[MIXOP_SPLIT_TRAIN], config.data.train_limit, config.data.train_portion)),
      images_(open_images(data, MIXOP_SPLIT_TRAIN, config.data.train_limit, split_.weights.count)),
      weights_order_(key_for(config.seed, kWeightsOrder), split_.weights),
      alphas_order_(key_for(config.seed, kAlphasOrder), split_.alphas),
      weights_stream_(
          *images_, training_augmentation(data.info(), config.data, config.seed),
          [this](std::int64_t position) {
            const std::int64_t steps = steps_per_epoch();
            return weights_order_.epoch_batch(static_cast<std::uint64_t>(position / steps), position % steps, batch_);
          },
          config.search.epochs * steps_per_epoch(), workers_),
      alphas_stream_(
          *images_, training_augmentation(data.info(), config.data, config.seed),
          [this](std::int64_t position) {
            return alphas_order_.stream_batch(static_cast<std::uint64_t>(position),
                                              std::min(batch_, split_.alphas.count));
          },
          config.search.epochs * steps_per_epoch(), workers_) {}

Batch SearchBatches::train(std::int64_t epoch, std::int64_t step) {
  return batch_of(weights_stream_.at(epoch * steps_per_epoch() + step), *images_, type_, device_);
}

Batch SearchBatches::valid(std::int64_t step) { return batch_of(alphas_stream_.at(step), *images_, type_, device_); }

std::int64_t SearchBatches::smallest_batch() const {
  return std::min((split_.weights.count - 1) % batch_ + 1, std::min(batch_, split_.alphas.count));
}

void SearchBatches::for_each_valid(const std::function<bool(const Batch&)>& visit) const {
  for_each_batch(*images_, split_.alphas, batch_, workers_, type_, device_, visit);
}

}  // namespace mixop
