#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "host/config/config.hpp"
#include "host/data/dataset_handle.hpp"
#include "host/runtime/network.hpp"

namespace mixop {

/// What one step of a search works on.
struct StepData {
  Batch train, valid;
  double rate_scale = 1;  ///< of the weights' learning rate
};

/// What a search is fed: two streams of batches, one for the weights and one for the alphas. Every batch is a pure
/// function of the seed and its position, so a position in the data is two integers.
class SearchData {
 public:
  virtual ~SearchData() = default;
  virtual std::int64_t steps_in(std::int64_t epoch) const = 0;
  /// Step `step_in_epoch` of an epoch, which is step `step` since the start.
  virtual StepData at(std::int64_t epoch, std::int64_t step_in_epoch, std::int64_t step) = 0;
  /// Images of the smallest batch that a step trains on; text, which is not normalised over the batch: 0.
  virtual std::int64_t smallest_batch() const = 0;
  /// All that the alphas are measured on after an epoch, in order and as it is, until `visit` returns false. Texts come
  /// as one stream: the state goes from batch to batch.
  virtual void for_each_valid(const std::function<bool(const Batch&)>& visit) const = 0;
  /// How many images or words that visits.
  virtual std::int64_t valid_count() const = 0;
  /// Images so far that others stand for, see ImageSource::replaced.
  virtual std::int64_t replaced() const = 0;

 protected:
  SearchData() = default;
};

}  // namespace mixop
