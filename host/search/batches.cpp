#include "host/search/batches.hpp"

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
  }
  augmentation.cutout_length = static_cast<std::int32_t>(config.cutout);
  return augmentation;
}

SearchBatches::SearchBatches(const DatasetHandle& data, const Config& config, at::ScalarType type, at::Device device)
    : batch_(config.search.batch),
      type_(type),
      device_(device),
      augmentation_(training_augmentation(data.info(), config.data, config.seed)),
      split_(split_train(data.info().records[MIXOP_SPLIT_TRAIN], config.data.train_limit, config.data.train_portion)),
      images_(data, MIXOP_SPLIT_TRAIN, config.data.train_limit),
      weights_order_(key_for(config.seed, kWeightsOrder), split_.weights),
      alphas_order_(key_for(config.seed, kAlphasOrder), split_.alphas) {}

Batch SearchBatches::fetch(const std::vector<Sample>& samples, const Augmentation& augmentation) const {
  const auto count = static_cast<std::int64_t>(samples.size());
  at::Tensor images = at::empty({count, images_.channels(), images_.height(), images_.width()});
  at::Tensor targets = at::empty({count}, at::kLong);
  images_.fill_batch(samples, augmentation, images.data_ptr<float>(), targets.data_ptr<std::int64_t>());
  return {images.to(device_, type_), targets.to(device_)};
}

Batch SearchBatches::train(std::int64_t epoch, std::int64_t step) {
  return fetch(weights_order_.epoch_batch(static_cast<std::uint64_t>(epoch), step, batch_), augmentation_);
}

Batch SearchBatches::valid(std::int64_t step) {
  const std::int64_t batch = std::min(batch_, split_.alphas.count);
  return fetch(alphas_order_.stream_batch(static_cast<std::uint64_t>(step), batch), augmentation_);
}

void SearchBatches::for_each_valid(const std::function<void(const Batch&)>& visit) const {
  const std::vector<Sample> all = in_order(split_.alphas);
  for (std::size_t first = 0; first < all.size(); first += static_cast<std::size_t>(batch_)) {
    const std::size_t last = std::min(all.size(), first + static_cast<std::size_t>(batch_));
    visit(
        fetch({all.begin() + static_cast<std::ptrdiff_t>(first), all.begin() + static_cast<std::ptrdiff_t>(last)}, {}));
  }
}

}  // namespace mixop
