#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/loop/epoch_loop.hpp"
#include "host/search/optimizers.hpp"
#include "host/task/training_data.hpp"
#include "host/train/discrete_model.hpp"
#include "host/train/weight_average.hpp"

namespace mixop {

/// The network as an epoch left it, with the averaged weights where there were such.
struct KeptNetwork {
  std::int64_t epoch = 0;  ///< counted from 1
  double valid_loss = 0;
  std::int64_t averaged = 0;       ///< steps that are in its weights as an average; 0: none is under way
  std::vector<at::Tensor> values;  ///< of distinct_state()
};

/// What a training holds beside network, optimiser and record.
struct TrainingState {
  RecurrentState carried;                ///< hidden state between the steps of an epoch; empty for images
  std::optional<WeightAverage> average;  ///< of averaged SGD, once it has begun
  std::optional<KeptNetwork> best;       ///< with train.keep = best: that of the least loss on the held-out records
  std::int64_t rollbacks = 0;            ///< so far
};

/// The training of a genotype's network from scratch. Images, as DARTS section 3.3: SGD, scheduled drop-path, auxiliary
/// head. Text, as its section 3.4: SGD with penalties on activations, then averaged SGD (Merity et al. 2018, NT-ASGD),
/// and the network of the least validation loss is kept, to which a loss that is not finite rolls back.
class Training final : public EpochLoop {
 public:
  Training(const Config& config, const Genotype& genotype, const PluginRegistry& plugins,
           const ComponentOptions& options, const DatasetHandle& data)
      : Training(config, genotype, plugins, options, data.info(), &data) {}
  /// Without data, of which `info` has the shape: for try_step() alone.
  Training(const Config& config, const Genotype& genotype, const PluginRegistry& plugins,
           const ComponentOptions& options, const DatasetInfo& info)
      : Training(config, genotype, plugins, options, info, nullptr) {}

  /// Forward and backward pass of a step on a batch, which change the running statistics alone.
  std::vector<at::Tensor> try_step(const Batch& batch);

  const Config& config() const { return config_; }
  const Genotype& genotype() const override { return genotype_; }
  const Task& task() const { return model_.task(); }
  DiscreteModel& model() { return model_; }
  const DiscreteModel& model() const { return model_; }
  const Sgd& optimizer() const { return optimizer_; }
  bool has_data() const { return data_ != nullptr; }
  TrainingData& data() { return *data_; }
  const TrainingData& data() const { return *data_; }
  TrainingState& own() { return own_; }
  const TrainingState& own() const { return own_; }
  /// The weights that optimizer() steps, once each.
  const std::vector<at::Tensor>& weights() const { return weights_; }

 private:
  Training(const Config& config, const Genotype& genotype, const PluginRegistry& plugins,
           const ComponentOptions& options, const DatasetInfo& info, const DatasetHandle* data);
  std::int64_t steps() const override { return data_->steps_in(position().at.epoch); }
  Step step() override;
  Metrics train_means(const EpochSums& sums) const override { return task().means(sums, "train"); }
  std::optional<Metrics> measure(RunObserver& observer, const std::atomic<int>& interrupt) override;
  std::vector<at::Tensor> state() const override;
  void end_epoch(Metrics& metrics, RunObserver& observer) override;
  bool recover(const NotFinite& error, RunObserver& observer) override;

  /// Fails where a batch of one image is to come that the network cannot train on.
  void try_single_image();
  /// The pass of the step at hand with what its epoch drops.
  Outcome training_pass(const Batch& batch);
  std::vector<double> losses_of_epoch() const;
  /// Keeps the network as it was measured, where that is the best so far.
  void keep_best(double valid_loss);
  /// Begins averaging where the validation loss has stopped falling.
  void begin_average(RunObserver& observer);

  Config config_;
  Genotype genotype_;
  DiscreteModel model_;
  std::unique_ptr<TrainingData> data_;
  std::vector<at::Tensor> weights_;
  Sgd optimizer_;
  TrainingState own_;
  std::pair<std::int64_t, std::vector<double>> failed_{-1, {}};  // the epoch that was rolled back last, and its losses
};

/// Whether the last of `losses` is above the least of those that lie more than `patience` epochs before it: the trigger
/// of NT-ASGD (Merity et al. 2018, algorithm 1). False for a patience of 0.
bool has_stopped_falling(const std::vector<double>& losses, std::int64_t patience);

/// The epoch, counted from 1, with the largest value of a metric (of a loss the least), the first of equals; none where
/// it was not measured.
std::optional<std::int64_t> best_epoch(const LoopRecord& record, const std::string& metric);

}  // namespace mixop
