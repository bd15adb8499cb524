#pragma once

#include <set>
#include <string>

#include "mixop/options.hpp"
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace mixop::strategies {

/// The rule of DARTS (section 2.4) as its published code applies it: of each node's edges the strongest, as many as the
/// cell keeps (two of an image cell), ranked by their best operation, which is `none` only in cells that list edges with
/// it (NAS-Bench-201: the largest of every edge); of each such edge that operation. Ties go to the earlier edge and
/// operation. Genes of a node stand in the order of their strength.
class DartsDeriver final : public Deriver {
 public:
  explicit DartsDeriver(const Options&) {}
  Genotype derive(const std::vector<AlphaSet>& alphas, const std::vector<at::Tensor>& relaxed) const override;
};

/// That rule with `limit` skips at most in a cell that keeps the resolution (P-DARTS: Chen et al., ICCV 2019, section
/// 3.3): while a cell has more, the weakest of its skips is struck off its edge and the cell derived again.
class LimitedSkips final : public Deriver {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_INTEGER, "limit", "2",
             "Most skips of a cell that does not reduce the resolution, from 0 on."),
      option(MIXOP_OPTION_TEXT, "operations", "skip_connect,identity", "What skips are called, with commas."),
  };
  explicit LimitedSkips(const Options& options);
  Genotype derive(const std::vector<AlphaSet>& alphas, const std::vector<at::Tensor>& relaxed) const override;

 private:
  std::int64_t limit_;
  std::set<std::string> skips_;
};

}  // namespace mixop::strategies
