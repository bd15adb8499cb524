#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/config/config.hpp"
#include "host/loop/device.hpp"
#include "host/loop/epoch_loop.hpp"
#include "host/graph/measure.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/plugins/registry.hpp"
#include "host/search/composition.hpp"
#include "host/search/optimizers.hpp"
#include "host/search/problem.hpp"
#include "host/task/task.hpp"
#include "mixop/space.hpp"

namespace mixop {

/// An entry of the strategy history: which strategy was in force from which step on, with all option values.
struct StrategyChange {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  std::string strategy;
  PartChoices parts;
};

/// What a search has found so far, beside the loop's own record.
struct SearchHistory {
  std::vector<std::vector<at::Tensor>> alphas;  ///< a row an epoch (row 0: the start), a tensor a declaration
  std::vector<DroppedOperations> dropped;       ///< of the same rows
  std::vector<Genotype> genotypes;              ///< of the same rows
  std::vector<StrategyChange> strategies;
  std::string stop_reason;  ///< of the strategy's stopper; empty while the search goes on
};

/// What of a space's config its alphas depend on.
SpaceConfig alphas_config(const SpaceKeys& keys, const SearchSpace& space);

/// The whole config of a space, for the data at hand.
SpaceConfig space_config(const SpaceKeys& keys, const DatasetInfo& data, const SearchSpace& space);

/// The size of the supernet, before it is made.
MeasuredNetwork measured_supernet(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options,
                                  const DatasetInfo& info);

/// A differentiable search: the supernet, its alphas and optimizers, the data and the loop over them.
class Search final : public EpochLoop {
 public:
  Search(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options,
         const DatasetHandle& data)
      : Search(config, plugins, options, data.info(), &data) {}
  /// Without data, of which `info` has the shape: for try_step() alone.
  Search(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options, const DatasetInfo& info)
      : Search(config, plugins, options, info, nullptr) {}

  /// A step on that data which leaves the weights where they are; alphas, momenta and running statistics change.
  void try_step(const StepData& data) {
    problem_->states() = {};
    (void)take(data, /*rate=*/0);
  }

  /// The epochs still to come in which the network is made anew.
  std::vector<std::int64_t> later_networks() const;
  /// Goes to such an epoch, as a search comes there whose measurements were all alike: for try_step() alone.
  void try_stage(std::int64_t epoch);

  /// The genotype of alphas as they stand, at the end of the epoch before the position.
  Genotype derive(const std::vector<at::Tensor>& alphas) const;
  /// Relaxed alphas on the CPU in float32, as derivers see them.
  std::vector<at::Tensor> relaxed(const std::vector<at::Tensor>& alphas) const;

  const Config& config() const { return config_; }
  const Task& task() const { return task_; }
  Network& network() { return *network_; }
  SearchProblem& problem() { return *problem_; }
  Sgd& weight_optimizer() { return *weight_optimizer_; }
  Adam& alpha_optimizer() { return *alpha_optimizer_; }
  /// The composition in force: that of the last entry of the history.
  const Composition& strategy() const { return *strategy_; }
  /// Of the epoch at hand, or of the last one where all are over: that of all epochs where the schedule has none.
  SearchStage stage() const;
  /// Cells of the network beside space.layers.
  std::int64_t more_layers() const { return more_layers_; }
  /// Those that it had in the epoch of the last step, by the parts in force.
  std::int64_t more_layers_of_last_step() const;
  /// The size of the network with so many cells more.
  MeasuredNetwork measured(std::int64_t more_layers) const;
  /// Makes the network with so many cells more, its weights, the alphas and what goes with them.
  void make_network(std::int64_t more_layers);
  /// Exchanges the history, and puts its last entry in force. Parts that it changes start anew. Throws a usage error,
  /// and changes nothing, where that needs another network.
  void follow(std::vector<StrategyChange> changes);
  /// Puts other parts in force from the step at hand on. Parts that stay keep their state, others start anew; weights,
  /// alphas and the moments of both optimizers carry on. Throws a usage error, and changes nothing, where that needs
  /// another network.
  void exchange(const std::string& strategy, const PartChoices& parts);
  /// Throws where exchange() would not take an entry's parts.
  void require_possible(const StrategyChange& change) const;
  /// What is called before every step, and may exchange parts.
  void before_step(std::function<void()> call) { before_step_ = std::move(call); }
  SearchHistory& history() { return history_; }
  const SearchHistory& history() const { return history_; }
  /// What the supernet is made for.
  NetworkData data_shape() const { return network_data(info_); }
  bool has_data() const { return data_ != nullptr; }
  SearchData& data() { return *data_; }
  /// A batch of drawn images, or of one word all over in sequences of data.bptt, of the shape that the search works on.
  Batch drawn_batch(std::int64_t samples) const;

 private:
  Search(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options, const DatasetInfo& info,
         const DatasetHandle* data);
  std::int64_t steps() const override { return data_->steps_in(position().at.epoch); }
  Step step() override;
  Metrics train_means(const EpochSums& sums) const override { return task_.means(sums, "train"); }
  /// A step on that data at a learning rate of the weights.
  Step take(StepData data, double rate);
  std::optional<Metrics> measure(RunObserver& observer, const std::atomic<int>& interrupt) override;
  /// The network on the validation half, at such edge weights; nothing where it was interrupted.
  std::optional<EpochSums> measured_at(const std::vector<Relaxed>& edge_weights, const std::atomic<int>& interrupt);
  /// Lets the schedule decide after the epoch at hand; false where it was interrupted, and has not.
  bool let_decide(const Metrics& metrics, RunObserver& observer, const std::atomic<int>& interrupt);
  std::vector<at::Tensor> state() const override;
  void end_epoch(Metrics& metrics, RunObserver& observer) override;
  const Genotype& genotype() const override { return history_.genotypes.back(); }
  std::string stop_reason() const override { return history_.stop_reason; }
  /// Throws a usage error where these parts need another network.
  void require_exchange(const PartChoices& parts) const;
  /// Exchanges what the config's schedule has other in this epoch than in the one before.
  void follow_schedule();
  /// Begins the stage that has its first step in this epoch.
  void follow_stages();
  /// Throws a usage error where a later stage has alphas of another shape, or none of all that a stage may be.
  void require_stages(const Schedule& schedule) const;
  /// The network with so many cells more than space.layers, described.
  NetworkGraph graph(std::int64_t more_layers) const;
  /// The same for a later stage of a schedule, which its usage errors name.
  NetworkGraph deeper(std::int64_t more_layers, const std::string& schedule) const;
  EpochPlan plan_of(std::int64_t epoch) const;
  /// What parts see of an epoch, with its means; `relaxed` must stay.
  EpochEnd end_of(std::int64_t epoch, const Metrics& metrics, const std::vector<at::Tensor>& relaxed);
  /// The problem at the first batches of an epoch.
  BilevelProblem& problem_at(std::int64_t epoch);
  void record_row();
  /// The weights' learning rate in the epoch at hand.
  double epoch_rate() const;
  /// The alphas' learning rate in the epoch at hand.
  double alpha_rate() const;
  /// Whether the epoch at hand is behind those that train the weights alone.
  bool alphas_move(std::int64_t epoch) const;
  /// The key of the random draws of the step at hand.
  std::uint64_t step_key() const;

  const PluginRegistry& plugins_;
  Config config_;
  DatasetInfo info_;
  const Task& task_;
  at::Device device_;
  at::ScalarType type_;
  RegistryCatalog operators_;
  StrategySchedule schedule_;
  ComponentOptions options_;
  std::unique_ptr<Composition> strategy_;  // the problem asks it, wherever the search is moved to
  Part<SearchSpace> space_;
  std::unique_ptr<SearchData> data_;
  std::int64_t more_layers_ = 0;
  std::unique_ptr<Network> network_;
  std::vector<at::Tensor> alphas_;
  std::unique_ptr<Sgd> weight_optimizer_;
  std::unique_ptr<Adam> alpha_optimizer_;
  std::unique_ptr<SearchProblem> problem_;
  SearchHistory history_;
  std::function<void()> before_step_;
};

}  // namespace mixop
