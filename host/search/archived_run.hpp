#pragma once

#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/config/config.hpp"
#include "host/search/composition.hpp"
#include "mixop/space.hpp"

namespace mixop {

struct StrategyChange;

/// Raw alphas with what they mean; enough to derive a genotype without building the supernet.
struct AlphaCase {
  std::vector<AlphaSet> declarations;
  std::vector<at::Tensor> alphas;
  std::vector<std::string> unused = {};  ///< the sets that no cell of the network reads; see searched_genotype()
  DroppedOperations dropped = {};
};

struct Derived {
  Genotype genotype;
  std::vector<std::vector<double>> strengths;  ///< relaxed alpha of every gene, cell by cell
};

/// Which of the changes of a strategy was in force when the genotype of a row was derived.
std::size_t in_force(const std::vector<StrategyChange>& changes, std::int64_t row);

/// Whether any alphas of a checked run's archive are others after `epoch` epochs than at the start.
bool alphas_moved(const Archive& archive, std::int64_t epoch);

/// The genotype of raw alphas: relaxed in float32, then the deriver's rule.
Derived derive(const AlphaCase& raw, const Relaxation& relaxation, const Deriver& deriver, const SearchPosition& at);

/// A search's archive, checked and read for its results.
class ArchivedRun {
 public:
  ArchivedRun(Archive archive, const OptionCatalog& catalog);

  const Archive& archive() const { return archive_; }
  const Config& config() const { return config_; }
  std::int64_t epochs() const { return epochs_; }
  /// The alphas after `epoch` epochs, those that the edge rule adds among them; throws a usage error where the archive
  /// has no such row.
  AlphaCase alphas(std::int64_t epoch, const SearchSpace& space, const EdgeRuleData& rule = {}) const;
  /// Whether the alphas after `epoch` epochs are others than those of the start.
  bool has_searched(std::int64_t epoch) const { return alphas_moved(archive_, epoch); }
  /// Where the search stood when it derived the genotype of that row.
  SearchPosition position(std::int64_t row) const;
  /// The parts in force, with all their options, when the genotype of that row was derived.
  PartChoices parts(std::int64_t row) const;

 private:
  Archive archive_;
  Config config_;
  std::int64_t epochs_;
};

}  // namespace mixop
