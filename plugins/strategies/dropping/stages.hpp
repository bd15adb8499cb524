#pragma once

#include "dropped_sets.hpp"
#include "mixop/options.hpp"
#include "mixop/plugin.hpp"

namespace mixop::strategies {

/// P-DARTS (Chen et al., ICCV 2019, section 3.2): the search goes by stages of equal length. Each has a network of its own,
/// deeper than that of the stage before, new alphas, and the operations of every edge that were strongest at that one's
/// end.
class Stages final : public Schedule {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_INTEGER, "count", "3", "Stages of equal length, from 1 on."),
      option(MIXOP_OPTION_INTEGER, "layers", "6", "Cells by which each stage is deeper than the one before, from 0 on."),
      option(MIXOP_OPTION_REAL, "last", "0.375",
             "Part of the operations of an edge that the last stage has, at least two; of those between as many as lie in "
             "a line, above 0 and at most 1."),
  };

  explicit Stages(const Options& options);

  void begin(const std::vector<SearchedSet>& sets) override { dropped_ = DroppedSets(sets); }
  EpochPlan plan(const SearchPosition& at) const override;
  void decide(const EpochEnd& end) override;
  /// "operations_left": of all edges together.
  std::map<std::string, double> measured() const override {
    return {{"operations_left", static_cast<double>(dropped_.count_left())}};
  }
  NamedTensors save() const override { return dropped_.save(); }
  void load(const NamedTensors& state) override { dropped_.load(state, "stages"); }

 private:
  /// Stages of so many epochs: none is empty.
  std::int64_t count(std::int64_t epochs) const;
  std::int64_t first(std::int64_t stage, std::int64_t epochs) const;
  /// The stage of an epoch; the last one behind them all.
  std::int64_t stage_of(const SearchPosition& at) const;
  /// Operations of an edge, of so many, that a stage has.
  std::size_t kept(std::int64_t stage, std::int64_t epochs, std::size_t operations) const;

  std::int64_t count_, layers_;
  double last_;
  DroppedSets dropped_;
};

}  // namespace mixop::strategies
