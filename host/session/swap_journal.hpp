#pragma once

#include <filesystem>
#include <vector>

#include "host/search/search.hpp"

namespace mixop {

/// What the journal of an archive's run holds, a line of which may still be being written; throws bad_data where it is none.
std::vector<StrategyChange> journaled_swaps(const std::filesystem::path& archive);

/// The swaps of a run that are in force and in no checkpoint yet, in RUN.h5.swaps, an entry of the strategy history a
/// line. A run that was killed takes them again at the same steps, so that it ends with the same bits.
class SwapJournal {
 public:
  /// Of a run that goes on: reads what is there. Of another: removes it. Throws bad_data where the file is no journal.
  SwapJournal(const std::filesystem::path& archive, bool goes_on);

  /// Those that a run that goes on has still to take again.
  const std::vector<StrategyChange>& left() const { return left_; }

  /// What took effect before that step, in order; each is given once. Entries of earlier steps are in the archive.
  std::vector<StrategyChange> due(std::int64_t step);
  /// Returns when it is on disk.
  void add(const StrategyChange& change);
  /// Once an archive holds what took effect before that step: keeps the others alone.
  void forget(std::int64_t step);

 private:
  void write(const std::vector<StrategyChange>& changes) const;

  std::filesystem::path file_;
  std::vector<StrategyChange> left_, all_;
};

}  // namespace mixop
