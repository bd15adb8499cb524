#pragma once

#include <vector>

#include "mixop/options.hpp"
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace mixop::strategies {

/// Ends a search where the validation loss bends more and more in the alphas (RobustDARTS: Zela et al., ICLR 2020,
/// section 4.3): the largest eigenvalue of its Hessian, averaged over `window` epochs, is more than 1 / `ratio` times
/// that of the `window` epochs before. The eigenvalue is that of Lanczos' method, whose products with the Hessian are
/// central differences of gradients, two passes each, on the epoch's first validation batch.
class EigenvalueStopper final : public Stopper {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_INTEGER, "window", "5", "The largest eigenvalue is averaged over so many epochs, from 1 on."),
      option(MIXOP_OPTION_REAL, "ratio", "0.75",
             "The search ends where the average before is less than this part of the last one; 0 measures and never "
             "ends it."),
      option(MIXOP_OPTION_INTEGER, "products", "20", "Products with the Hessian at most in an epoch, from 1 on."),
      option(MIXOP_OPTION_REAL, "epsilon", "0.01",
             "Length of the step of the finite differences in the space of the alphas, above 0."),
  };

  explicit EigenvalueStopper(const Options& options);

  std::string reason_to_stop(const EpochReport& report) override;
  /// "eigenvalue": that of the epoch.
  std::map<std::string, double> measured() const override { return {{"eigenvalue", eigenvalue_}}; }
  NamedTensors save() const override;
  void load(const NamedTensors& state) override;

 private:
  double largest_eigenvalue(BilevelProblem& problem) const;

  std::int64_t window_;
  double ratio_;
  std::int64_t products_;
  double epsilon_;
  double eigenvalue_ = 0;
  std::vector<double> history_;  // of the epochs that count, as many as are needed
};

}  // namespace mixop::strategies
