#pragma once

#include "mixop/options.hpp"
#include "mixop/strategy.hpp"

namespace mixop::strategies {

/// The rule of DARTS (section 2.4) as its published code applies it: of each node's edges the strongest, as many as the
/// cell keeps (two of an image cell), ranked by their best operation, which is `none` only in cells that list edges with
/// it (NAS-Bench-201: the largest of every edge); of each such edge that operation. Ties go to the earlier edge and operation. Genes of a node stand in the order of their strength.
class DartsDeriver final : public Deriver {
 public:
  explicit DartsDeriver(const Options&) {}
  Genotype derive(const std::vector<AlphaSet>& alphas, const std::vector<at::Tensor>& relaxed) const override;
};

}  // namespace mixop::strategies
