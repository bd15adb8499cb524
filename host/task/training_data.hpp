#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/config/config.hpp"
#include "host/data/dataset_handle.hpp"
#include "host/runtime/network.hpp"

namespace mixop {

/// The records that a network is trained and measured on. Images: of the first data.train_limit train records the first
/// floor(data.train_portion * N) train it and the others are held out. Text: the valid split is held out. Beside them
/// there is the test split.
enum class Records { train, valid, test };

/// "train", "valid" or "test".
const char* records_name(Records records);

/// What a step works on.
struct TrainBatch {
  Batch batch;
  double rate_scale = 1;  ///< of the learning rate
};

/// The batches of a training. Those of a step are a pure function of the seed and their position.
class TrainingData {
 public:
  virtual ~TrainingData() = default;
  /// Images, or words; 0 where there are none.
  virtual std::int64_t count(Records records) const = 0;
  virtual std::int64_t steps_in(std::int64_t epoch) const = 0;
  virtual TrainBatch train(std::int64_t epoch, std::int64_t step) = 0;
  /// Images of the smallest batch that a step trains on; text, which is not normalised over the batch: 0.
  virtual std::int64_t smallest_batch() const = 0;
  /// Text: rows of the longest sequence of the first `epochs` epochs. Images: 0.
  virtual std::int64_t longest_sequence(std::int64_t epochs) = 0;
  /// All records in order and as they are, in batches (text: in so many columns, as one stream whose state goes from
  /// batch to batch); ends where `visit` returns false.
  virtual void for_each(Records records, std::int64_t batch, const std::function<bool(const Batch&)>& visit) = 0;
  /// What an epoch's end is measured on.
  virtual std::vector<Records> measured() const = 0;
  /// The batch of those measurements, and that of `mixop evaluate`.
  virtual std::int64_t measuring_batch() const = 0;
  virtual std::int64_t evaluation_batch() const = 0;
  /// Images so far that others stand for, see ImageSource::replaced.
  virtual std::int64_t replaced() const = 0;

 protected:
  TrainingData() = default;
};

}  // namespace mixop
