#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "host/search/search.hpp"
#include "host/session/observer.hpp"
#include "host/session/run_setup.hpp"
#include "host/session/swap_journal.hpp"
#include "host/session/swap_socket.hpp"
#include "host/weights/weight_file.hpp"

namespace mixop {

/// A search and its archive, new or gone on with.
class SearchSession {
 public:
  /// Checks the request, locks its output and makes the search; no step is taken yet. The application must outlive
  /// it.
  SearchSession(const SearchRequest& request, const Application& application);

  /// Runs to the end, or until `interrupt` is set; see EpochLoop::run().
  RunEnd run(SessionObserver& observer, const std::atomic<int>& interrupt);
  const Search& search() const { return search_; }

 private:
  void try_checkpoint();
  void announce(SessionObserver& observer);
  /// Before every step: takes again what a killed run swapped here, and answers those who ask for swaps.
  void take_swaps(SwapServer* server, SessionObserver& observer);
  /// Says what stage of the search begins with the step at hand.
  void tell_stage(SessionObserver& observer);
  std::string answer_swap(const std::string& request, SessionObserver& observer);

  const Application& application_;
  std::unique_ptr<WeightFile> weights_;  ///< that it begins with; null: it draws them, or goes on
  RunSetup setup_;
  Search search_;
  std::vector<std::string> notes_;  ///< of the weights
  SwapJournal journal_;
  std::size_t told_ = 0;  ///< entries of the strategy history that were said
};

/// The config of a search and the memory that it takes.
RunForecast forecast(const SearchRequest& request, const Application& application);

/// The config and data of a search that is still to begin.
RunInputs inputs_of(const SearchRequest& request, const Application& application);

}  // namespace mixop
