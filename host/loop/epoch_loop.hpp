#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/plugins/part_error.hpp"
#include "host/runtime/network.hpp"
#include "mixop/strategy.hpp"

namespace mixop {

using Metrics = std::map<std::string, double>;

/// Sums over the steps of an epoch that is under way.
struct EpochSums {
  double loss = 0;  ///< mean loss of each batch times its samples
  std::int64_t correct = 0;
  std::int64_t samples = 0;  ///< images, or words

  /// Adds a batch: images or words, of which images are classified and have an `output` [N, classes].
  void add(double mean_loss, const at::Tensor& output, const at::Tensor& target);
  /// The same with the images counted that are right.
  void add(double mean_loss, std::int64_t right, const at::Tensor& target);
  double mean_loss() const { return loss / static_cast<double>(samples); }
};

/// Where a loop over epochs stands.
struct LoopPosition {
  SearchPosition at;
  std::int64_t step_in_epoch = 0;
  EpochSums sums;
};

/// What a loop has measured.
struct LoopRecord {
  std::map<std::string, std::vector<double>> metrics;  ///< by name, a value an epoch
  std::vector<double> step_losses;                     ///< training loss of every step
  std::vector<double> epoch_seconds;

  /// Takes in metrics of epoch `epoch`, counted from 1. NaN stands for the epochs in which a name had no value.
  void add(const Metrics& metrics, std::int64_t epoch);
};

/// What an observer of a loop is called with.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_step(const SearchPosition& at, std::int64_t step_in_epoch, std::int64_t steps_per_epoch, double loss,
                       const EpochSums& sums) = 0;
  /// After the epoch's checkpoint: what is reported here is safe.
  virtual void on_epoch(const SearchPosition& at, const Metrics& metrics, const Genotype& genotype) = 0;
  /// Something that a person wants to know: one line.
  virtual void on_notice(const std::string&) {}
  /// Called where the archive must be written: after every epoch, and when the loop is interrupted.
  virtual void checkpoint() = 0;

 protected:
  RunObserver() = default;
};

enum class RunEnd { finished, stopped, interrupted };

/// The loop over epochs of steps that searches and trainings have in common: interruption, checkpoints, what is
/// measured when. Nothing that is not finite is ever archived.
class EpochLoop {
 public:
  virtual ~EpochLoop() = default;

  /// Runs from where it stands to the end. `interrupt` is looked at after every step and while an epoch is measured;
  /// the checkpoint then holds all steps so far. Throws NotFinite where a loss or the state is not finite.
  RunEnd run(RunObserver& observer, const std::atomic<int>& interrupt);

  LoopPosition& position() { return position_; }
  const LoopPosition& position() const { return position_; }
  LoopRecord& record() { return record_; }
  const LoopRecord& record() const { return record_; }

 protected:
  /// On the device: the loop reads of it once, at the step's end.
  struct Step {
    at::Tensor loss;     ///< 0-dim, what training differentiates
    at::Tensor penalty;  ///< the penalties in it; undefined for none
    at::Tensor output;   ///< logits [N, classes]; undefined for text
    at::Tensor target;
  };

  EpochLoop() = default;
  EpochLoop(EpochLoop&&) = default;

  /// Steps of the epoch at hand.
  virtual std::int64_t steps() const = 0;
  /// Takes the step and waits for nothing. Where its loss is not finite the loop ends before a checkpoint.
  virtual Step step() = 0;
  /// The sums of training steps as metrics, named train_...
  virtual Metrics train_means(const EpochSums& sums) const = 0;
  /// What the epoch's end is measured by, beside the means of its steps. Nothing where `interrupt` cut it short: then it
  /// changed nothing, and is called again.
  virtual std::optional<Metrics> measure(RunObserver& observer, const std::atomic<int>& interrupt) = 0;
  /// All that a checkpoint holds of the network and must be finite.
  virtual std::vector<at::Tensor> state() const = 0;
  /// Called once the epoch's metrics are recorded and the position is that of the next epoch. Metrics that it adds are
  /// recorded, too.
  virtual void end_epoch(Metrics& metrics, RunObserver& observer) = 0;
  virtual const Genotype& genotype() const = 0;
  /// Why the loop ends before its last epoch; empty: it does not.
  virtual std::string stop_reason() const { return {}; }
  /// Puts the loop back to an earlier, sound state, from which it goes on; false where it cannot.
  virtual bool recover(const NotFinite&, RunObserver&) { return false; }

  void require_finite(const char* what, bool finite) const;

 private:
  bool over() const { return position_.at.epoch == position_.at.epochs || !stop_reason().empty(); }
  void take_step(RunObserver& observer);
  /// Where the loop stands, behind the message of a part that failed.
  std::string place() const;
  struct StepNumbers {
    double loss, likelihood;  // likelihood: without penalties
    std::int64_t right;
  };
  /// Reads them from the device at once.
  static StepNumbers numbers_of(const Step& step);
  void require_finite_state() const;
  /// An epoch from where it stands; false where it was interrupted.
  bool run_epoch(RunObserver& observer, const std::atomic<int>& interrupt);

  LoopPosition position_;
  LoopRecord record_;
};

/// exp of a mean loss, at most the largest double: a training that goes astray is reported in numbers that can be stored.
double perplexity_of(double mean_loss);

/// How many rows of `output` [N, classes] have their largest entry at `target` [N].
std::int64_t count_correct(const at::Tensor& output, const at::Tensor& target);

}  // namespace mixop
