#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/session/application.hpp"
#include "host/session/experiment.hpp"
#include "host/session/observer.hpp"
#include "host/session/output_folder.hpp"
#include "host/session/reproduction_plan.hpp"
#include "host/session/reproduction_table.hpp"
#include "host/session/request.hpp"
#include "host/session/run_time.hpp"
#include "host/session/seed_candidate.hpp"
#include "host/session/work_stages.hpp"

namespace mixop {

/// What is asked of a reproduction.
struct ReproductionRequest {
  std::string experiment;
  Scale scale = Scale::brief;
  std::optional<std::string> data;              ///< the data's folder
  std::filesystem::path out;
  std::size_t jobs = 1;                         ///< stages at once
  bool overwrite = false;
  std::vector<std::string> plugin_arguments = {};  ///< by which this program found its plugins
};

/// How long a stage is to take on this machine.
struct StageTime {
  std::string name;
  double seconds = 0;
};

/// A published protocol end to end, in stages of their own archives: searches, short trainings that select, trainings,
/// evaluations, and a report. OUT/reproduction.json has what came of it; the same request goes on with what was
/// interrupted or killed.
class Reproduction {
 public:
  /// Checks the request, the presets and the data before anything is computed. The application must outlive it.
  Reproduction(ReproductionRequest request, const Application& application);

  /// False where it was interrupted.
  bool run(SessionObserver& observer, const std::atomic<int>& interrupt);

  /// How long the stages would take, by a few steps of each kind of run; nothing is written. Networks that are still to
  /// be found are stood in for by random ones. `seconds` becomes that of all, so many at once as are asked for.
  std::vector<StageTime> forecast(double& seconds);

  const Experiment& experiment() const { return experiment_; }
  /// The rows of what is trained so far.
  std::vector<ReproductionRow> rows() const;
  /// The content of reproduction.json.
  std::string result_json() const;
  std::filesystem::path report() const { return plan_.report(); }

 private:
  void check_runs();
  std::string request_text() const;
  OutputFolder place() const;
  void clear() const;
  TrainRequest training_request(const StageRuns& runs) const;
  /// Of the trainings `runs`, as far as their genotypes are known.
  TrainingTime training_time(const StageRuns& runs) const;

  std::vector<WorkStage> stages(SessionObserver& observer);
  WorkStage origin_stage(std::size_t i) const;
  /// "train PRESET --set ... --seed N --out FILE", or how it goes on.
  StageCommand run_command(const char* kind, const StageRuns& runs, std::int64_t seed, const std::filesystem::path& out,
                           const std::string& genotype = "") const;
  /// The share of the cores that each of the stages at once has, as a key.
  std::string threads_key() const;
  /// Threads, data and plugins of a stage.
  std::vector<std::string> place_arguments() const;
  /// The genotype argument of an origin; of the winner, or the published one, for none.
  std::string genotype_of(const std::optional<std::size_t>& origin) const;
  /// Why the trainings `runs` cannot build an origin's network; said once, and remembered.
  const std::string& defect_of(std::size_t origin, const StageRuns& runs, SessionObserver& observer);
  SeedCandidate candidate(std::size_t origin) const;
  /// Those that are trained or have a defect.
  std::vector<SeedCandidate> candidates() const;

  /// What the table lacks, to be said; empty for nothing.
  std::string left_out_text() const;

  ReproductionRequest request_;
  const Application& application_;
  Experiment experiment_;
  ReproductionPlan plan_;
  const Task* task_ = nullptr;
  std::string space_;
  std::map<std::size_t, std::string> defects_;
  std::map<std::string, double> seconds_;  ///< that a stage took so far
  std::set<std::string> done_;             ///< stages that ended well
};

}  // namespace mixop
