#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/search/search.hpp"
#include "host/search/stored_parts.hpp"
#include "host/train/discrete_model.hpp"
#include "host/train/score.hpp"
#include "host/train/training_data.hpp"

namespace mixop {

/// What a training has measured.
struct TrainingHistory {
  stored::EpochMetrics metrics;
  std::vector<double> step_losses;  ///< training loss of every step
  std::vector<double> epoch_seconds;
};

/// The training of a genotype's network from scratch, as DARTS section 3.3: SGD, scheduled drop-path, auxiliary head.
/// After every epoch the network is measured on the records that are held out and on the test split, where there are
/// such. Nothing is selected: the network at the end is that of the last epoch.
class Training {
 public:
  Training(const Config& config, const Genotype& genotype, const PluginRegistry& plugins,
           const ComponentOptions& options, const DatasetHandle& data);

  /// Runs from where it stands to the end. `interrupt` is looked at after every step and while the network is measured;
  /// then the checkpoint holds the step. Throws `failed` where a loss is not finite. Its end is `finished` or
  /// `interrupted`.
  SearchEnd run(SearchObserver& observer, const std::atomic<int>& interrupt);
  /// Forward and backward pass of a step on a batch, which change the running statistics alone.
  std::vector<at::Tensor> try_step(const Batch& batch);

  const Config& config() const { return config_; }
  const Genotype& genotype() const { return genotype_; }
  DiscreteModel& model() { return model_; }
  const DiscreteModel& model() const { return model_; }
  const Sgd& optimizer() const { return optimizer_; }
  TrainingData& data() { return data_; }
  const TrainingData& data() const { return data_; }
  TrainingHistory& history() { return history_; }
  LoopPosition& position() { return position_; }

 private:
  /// Loss and logits of a training pass with what the epoch at hand drops.
  Outcome training_pass(const Batch& batch);
  void train_step(SearchObserver& observer);
  /// Adds "NAME_loss", "NAME_top1" and "NAME_top5"; stops half-way once it is interrupted.
  void measure(Records records, std::map<std::string, double>& metrics, const std::atomic<int>& interrupt);
  std::map<std::string, double> epoch_metrics(const std::atomic<int>& interrupt);
  void finish_epoch(const std::map<std::string, double>& metrics);
  void require_finite(const char* what, bool finite) const;
  void require_finite_state() const;

  Config config_;
  Genotype genotype_;
  DiscreteModel model_;
  TrainingData data_;
  std::vector<at::Tensor> weights_;
  Sgd optimizer_;
  LoopPosition position_;
  TrainingHistory history_;
};

/// The epoch, counted from 1, with the largest value of a metric, the first of equals; none where it was not measured.
std::optional<std::int64_t> best_epoch(const TrainingHistory& history, const std::string& metric);

}  // namespace mixop
