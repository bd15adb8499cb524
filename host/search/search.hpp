#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/config/config.hpp"
#include "host/plugins/operator_catalog.hpp"
#include "host/plugins/registry.hpp"
#include "host/search/composition.hpp"
#include "host/search/optimizers.hpp"
#include "host/search/problem.hpp"
#include "host/search/search_data.hpp"
#include "mixop/space.hpp"

namespace mixop {

/// Sums over the steps of an epoch that is under way.
struct EpochSums {
  double loss = 0;  ///< mean loss of each batch times its samples
  std::int64_t correct = 0;
  std::int64_t samples = 0;  ///< images, or words
  bool words = false;        ///< which of them
};

/// An entry of the strategy history: which strategy was in force from which step on.
struct StrategyChange {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  std::string strategy;
  PartNames parts;
};

/// All that a search has found so far: what the archive holds beside the network's and the optimizers' state.
struct SearchHistory {
  std::vector<std::vector<at::Tensor>> alphas;         ///< a row an epoch (row 0: the start), a tensor a declaration
  std::vector<Genotype> genotypes;                     ///< of the same rows
  std::map<std::string, std::vector<double>> metrics;  ///< by name, a value an epoch
  std::vector<double> step_losses;                     ///< training loss of every step
  std::vector<double> epoch_seconds;
  std::vector<StrategyChange> strategies;
  std::string stop_reason;  ///< of the strategy's stopper; empty while the search goes on
};

/// What somebody who watches a search is told.
class SearchObserver {
 public:
  virtual ~SearchObserver() = default;
  virtual void on_step(const SearchPosition& at, std::int64_t step_in_epoch, std::int64_t steps_per_epoch, double loss,
                       const EpochSums& sums) = 0;
  /// After the epoch's checkpoint: what is told here is safe.
  virtual void on_epoch(const SearchPosition& at, const std::map<std::string, double>& metrics,
                        const Genotype& genotype) = 0;
  /// Called where the archive must be written: after every epoch, and when the search is interrupted.
  virtual void checkpoint() = 0;

 protected:
  SearchObserver() = default;
};

enum class SearchEnd { finished, stopped, interrupted };

/// The config of a space for the data at hand.
SpaceConfig space_config(const SpaceKeys& keys, const DatasetInfo& data);

/// "auto", "cpu", "cuda" or "cuda:N" as a device; throws a usage error where there is no such device.
at::Device device_of(const std::string& name);

/// A differentiable search: the supernet, its alphas and optimizers, the data and the loop over them.
class Search {
 public:
  Search(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options,
         const DatasetHandle& data);

  /// Runs from where it stands to the end. `interrupt` is looked at after every step and while an epoch is validated;
  /// the checkpoint holds all steps so far. Throws `failed` where a loss is not finite.
  SearchEnd run(SearchObserver& observer, const std::atomic<int>& interrupt);

  /// The genotype of alphas as they stand.
  Genotype derive(const std::vector<at::Tensor>& alphas) const;
  /// Relaxed alphas on the CPU in float32, as derivers see them.
  std::vector<at::Tensor> relaxed(const std::vector<at::Tensor>& alphas) const;

  const Config& config() const { return config_; }
  Network& network() { return *network_; }
  SearchProblem& problem() { return *problem_; }
  Sgd& weight_optimizer() { return *weight_optimizer_; }
  Adam& alpha_optimizer() { return *alpha_optimizer_; }
  const Composition& strategy() const { return strategy_; }
  SearchHistory& history() { return history_; }
  SearchPosition& position() { return position_; }
  std::int64_t& step_in_epoch() { return step_in_epoch_; }
  EpochSums& sums() { return sums_; }
  SearchData& data() { return *data_; }

 private:
  void train_step(SearchObserver& observer);
  /// Metrics of the alphas' half; of no use once `interrupt` is set, which cuts them short.
  std::map<std::string, double> validate(const std::atomic<int>& interrupt);
  /// Adds the epoch's own metrics to those of its validation and makes all of it history.
  void finish_epoch(std::map<std::string, double>& metrics);
  void record_row();
  /// The weights' learning rate in the epoch at hand.
  double epoch_rate() const;
  /// The key of the random draws of the step at hand.
  std::uint64_t step_key() const;
  void require_finite(const char* what, bool finite) const;
  void require_finite_state() const;

  Config config_;
  at::Device device_;
  at::ScalarType type_;
  RegistryCatalog operators_;
  Composition strategy_;
  Part<SearchSpace> space_;
  std::unique_ptr<SearchData> data_;
  std::unique_ptr<Network> network_;
  std::vector<at::Tensor> alphas_;
  std::unique_ptr<Sgd> weight_optimizer_;
  std::unique_ptr<Adam> alpha_optimizer_;
  std::unique_ptr<SearchProblem> problem_;
  SearchHistory history_;
  SearchPosition position_;
  std::int64_t step_in_epoch_ = 0;
  EpochSums sums_;
};

}  // namespace mixop
