#include "host/data/sample_order.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "mixop/error.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

// Keeps the order's draws apart from the augmentation's under one seed.
constexpr std::uint64_t kOrderKey = 0x6f72646572;

void require_batch(std::int64_t batch) {
  if (batch < 1) throw Error(ErrorCode::usage, "the batch size must be 1 or more, found " + std::to_string(batch));
}

}  // namespace

TrainSplit split_train(std::int64_t records, std::int64_t train_limit, double portion) {
  if (train_limit < 0 || train_limit > records)
    throw Error(ErrorCode::usage, "data.train_limit is " + std::to_string(train_limit) + " but the train set has " +
                                      std::to_string(records) + " records; give 0 (all) to " + std::to_string(records));
  const std::int64_t used = train_limit == 0 ? records : train_limit;
  const double exact = std::floor(portion * static_cast<double>(used));
  if (!(exact >= 1.0 && exact < static_cast<double>(used)))
    throw Error(ErrorCode::usage, "data.train_portion " + std::to_string(portion) + " of " + std::to_string(used) +
                                      " train records leaves no records for the " +
                                      (exact >= 1.0 ? "alphas" : "weights") +
                                      "; give a portion between 0 and 1 that leaves both at least one record");
  const auto weights = static_cast<std::int64_t>(exact);
  return {{0, weights}, {weights, used - weights}};
}

std::vector<std::int64_t> epoch_permutation(std::uint64_t seed, std::uint64_t epoch, std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  RandomStream random(key_of({kOrderKey, seed, epoch}));
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

std::vector<Sample> in_order(RecordRange range) {
  std::vector<Sample> samples(static_cast<std::size_t>(range.count));
  for (std::int64_t i = 0; i < range.count; ++i) samples[static_cast<std::size_t>(i)].record = range.first + i;
  return samples;
}

SampleOrder::SampleOrder(std::uint64_t seed, RecordRange range) : seed_(seed), range_(range) {
  if (range.count < 1) throw Error(ErrorCode::usage, "there are no records to put in order; expected 1 or more");
}

std::int64_t SampleOrder::steps_per_epoch(std::int64_t batch) const {
  require_batch(batch);
  return (range_.count - 1) / batch + 1;
}

std::vector<Sample> SampleOrder::epoch_batch(std::uint64_t epoch, std::int64_t step, std::int64_t batch) {
  const std::int64_t steps = steps_per_epoch(batch);
  if (step < 0 || step >= steps)
    throw Error(ErrorCode::usage, "step " + std::to_string(step) + " of an epoch of " + std::to_string(steps));
  const std::int64_t first = step * batch;
  std::vector<Sample> samples(static_cast<std::size_t>(std::min(batch, range_.count - first)));
  const std::uint64_t start = epoch * static_cast<std::uint64_t>(range_.count) + static_cast<std::uint64_t>(first);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = at(start + i);
  return samples;
}

std::vector<Sample> SampleOrder::stream_batch(std::uint64_t step, std::int64_t batch) {
  require_batch(batch);
  std::vector<Sample> samples(static_cast<std::size_t>(batch));
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = at(step * static_cast<std::uint64_t>(batch) + i);
  return samples;
}

Sample SampleOrder::at(std::uint64_t position) {
  const auto count = static_cast<std::uint64_t>(range_.count);
  const std::uint64_t epoch = position / count;
  return {range_.first + permutation(epoch)[position % count], epoch};
}

const std::vector<std::int64_t>& SampleOrder::permutation(std::uint64_t epoch) {
  if (cached_.second.empty() || cached_.first != epoch)
    cached_ = {epoch, epoch_permutation(seed_, epoch, range_.count)};
  return cached_.second;
}

}  // namespace mixop
