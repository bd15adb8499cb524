#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/session/genotype_argument.hpp"
#include "host/session/observer.hpp"
#include "host/session/run_setup.hpp"
#include "host/train/training.hpp"
#include "host/weights/weight_file.hpp"

namespace mixop {

/// A training and its archive, new or gone on with.
class TrainSession {
 public:
  /// Checks the request, locks its output and makes the training; no step is taken yet. The application must outlive
  /// it.
  TrainSession(const TrainRequest& request, const Application& application);

  /// Runs to the end, or until `interrupt` is set; see EpochLoop::run().
  RunEnd run(SessionObserver& observer, const std::atomic<int>& interrupt);
  /// Writes the archive as the training stands, without a step.
  void save();
  const Training& training() const { return training_; }
  /// What is to be said of the data, the genotype and the weights.
  std::vector<std::string> notes() const;

 private:
  void try_checkpoint();
  void announce(SessionObserver& observer);

  std::unique_ptr<WeightFile> weights_;  ///< that it begins with; null: it draws them, or goes on
  RunRules rules_;
  std::optional<GenotypeArgument> fresh_;
  RunSetup setup_;
  GenotypeArgument genotype_;
  Training training_;
  std::vector<std::string> notes_;  ///< of the weights
};

/// The network of a training that is still to begin, with the weights of its request.
struct LoadedNetwork {
  LoadedNetwork(const TrainRequest& request, const Application& application);

  std::unique_ptr<WeightFile> weights;
  RunInputs inputs;
  GenotypeArgument genotype;
  DiscreteModel model;
  std::vector<std::string> notes;  ///< to be said
};

/// The config of a training and the memory that it takes.
RunForecast forecast(const TrainRequest& request, const Application& application);

/// The config and data of a training that is still to begin. Its genotype need not be there yet.
RunInputs inputs_of(const TrainRequest& request, const Application& application);

/// Why the network of a training's genotype cannot be built; empty where it can.
std::string network_defect(const TrainRequest& request, const Application& application);

}  // namespace mixop
