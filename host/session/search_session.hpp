#pragma once

#include <atomic>

#include "host/search/search.hpp"
#include "host/session/observer.hpp"
#include "host/session/run_setup.hpp"

namespace mixop {

/// A search and its archive, new or gone on with.
class SearchSession {
 public:
  /// Checks the request, locks its output and makes the search; no step is taken yet. The application must outlive
  /// the session.
  SearchSession(const SearchRequest& request, const Application& application);

  /// Runs to the end, or until `interrupt` is set; see EpochLoop::run().
  RunEnd run(SessionObserver& observer, const std::atomic<int>& interrupt);
  const Search& search() const { return search_; }

 private:
  void try_checkpoint();
  void announce(SessionObserver& observer);

  RunSetup setup_;
  Search search_;
};

/// The config of a search and the memory that it takes.
RunForecast forecast(const SearchRequest& request, const Application& application);

/// The config and data of a search that is still to begin.
RunInputs inputs_of(const SearchRequest& request, const Application& application);

}  // namespace mixop
