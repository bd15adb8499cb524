#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "host/session/application.hpp"
#include "host/session/observer.hpp"
#include "host/session/output_folder.hpp"
#include "host/session/request.hpp"
#include "host/session/seed_candidate.hpp"

namespace mixop {

/// What is asked of a selection among searches of several seeds by short trainings.
struct SelectionRequest {
  std::vector<std::int64_t> seeds;
  SearchRequest search;  ///< without seed and output
  TrainRequest train;    ///< without genotype and output; what it leaves open follows the search
  std::filesystem::path out;
  bool overwrite = false;
};

/// Searches once a seed, trains each network that was found for a short while, and selects the one that is best on
/// records that this training held out. All candidates and their curves are in OUT/selection.json, the winner's
/// genotype is OUT/winner.json; the same request goes on with what was interrupted.
class Selection {
 public:
  /// Checks the request before anything is computed. The application must outlive the selection.
  Selection(SelectionRequest request, const Application& application);

  /// False where it was interrupted. Throws Error of code failed where no network that was found can be built.
  bool run(SessionObserver& observer, const std::atomic<int>& interrupt);

  const std::vector<SeedCandidate>& candidates() const { return done_; }
  /// The best one that can be built, or null.
  const SeedCandidate* best() const;
  /// The metric of held-out records that selects, and its figure.
  std::string criterion() const { return selection_metric(*task_); }
  const Figure& figure() const { return task_->record_figures().front(); }
  /// The file of the winner's genotype.
  std::filesystem::path winner_file() const;
  /// The content of selection.json; the winner is null until all candidates are there.
  std::string result_json() const;

 private:
  /// The trainings' request with what follows from the searches.
  void complete_training();
  void check_training() const;
  std::string request_text() const;
  OutputFolder place() const;
  void take_place() const;
  void clear() const;
  /// Searches and trains, or goes on with it; false where it was interrupted.
  bool run(SeedCandidate& candidate, SessionObserver& observer, const std::atomic<int>& interrupt) const;

  SelectionRequest request_;
  const Application& application_;
  const Task* task_ = nullptr;
  std::vector<SeedCandidate> done_;
};

}  // namespace mixop
