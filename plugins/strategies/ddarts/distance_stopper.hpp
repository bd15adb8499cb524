#pragma once

#include <optional>

#include "mixop/options.hpp"
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace mixop::ddarts {

/// Measures how far the genotype has moved in an epoch, and ends the search where that has settled (DARTOpti: Heuillet
/// et al., arXiv 2108.09306). Epochs that train the weights alone do not count.
class DistanceStopper final : public Stopper {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_REAL, "tolerance", "0.001",
             "The search ends where the distance between the genotypes of two epochs changes by less than this, above "
             "0, ..."),
      option(MIXOP_OPTION_INTEGER, "patience", "4", "... for so many epochs in a row; 0 measures and never ends it."),
  };

  explicit DistanceStopper(const Options& options);

  std::string reason_to_stop(const EpochReport& report) override;
  /// "distance": the architecture distance of the epoch's genotype from that before.
  std::map<std::string, double> measured() const override { return {{"distance", distance_}}; }
  NamedTensors save() const override;
  void load(const NamedTensors& state) override;

 private:
  double tolerance_;
  std::int64_t patience_;
  double distance_ = 0;
  std::optional<double> last_;  // of the last epoch that counts
  std::int64_t calm_ = 0;       // epochs in a row that changed by less than the tolerance
};

}  // namespace mixop::ddarts
