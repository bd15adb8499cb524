#pragma once

#include "dropped_sets.hpp"
#include "mixop/options.hpp"
#include "mixop/plugin.hpp"

namespace mixop::strategies {

/// DARTS-PT (Wang et al., ICLR 2021, section 4 and algorithm 1): behind the search itself one edge of every cell after the
/// other, in random order, keeps the one operation without which the network does worst on the validation half; then every
/// node the edges without which it does worst. Between two decisions the supernet is trained on.
class Perturbation final : public Schedule {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_REAL, "start", "0.4",
             "Part of the epochs before the first decision, from 0 to 1. The decisions lie evenly between it and the end."),
      option(MIXOP_OPTION_REAL, "rate", "0.1", "From there on weights.lr is multiplied by it, above 0."),
      option(MIXOP_OPTION_TEXT, "by", "accuracy", "What says how well the network does: accuracy (of text the loss), or loss."),
  };

  explicit Perturbation(const Options& options);

  void begin(const std::vector<SearchedSet>& sets) override;
  EpochPlan plan(const SearchPosition& at) const override;
  void decide(const EpochEnd& end) override;
  /// "operations_left": of all edges together.
  std::map<std::string, double> measured() const override {
    return {{"operations_left", static_cast<double>(dropped_.count_left())}};
  }
  NamedTensors save() const override;
  void load(const NamedTensors& state) override;

 private:
  /// The epochs over when the first decision is taken: at least one, for it is taken at an epoch's end.
  std::int64_t start(std::int64_t epochs) const;
  std::int64_t decisions() const { return edge_decisions_ + node_decisions_; }
  /// The epochs over when a decision is taken.
  std::int64_t taken_at(std::int64_t decision, std::int64_t epochs) const;
  void decide_edges(const EpochEnd& end);
  void decide_nodes(const EpochEnd& end);
  /// How well the network does: larger is better.
  double score(const EpochEnd& end, const std::vector<Relaxed>& edge_weights) const;

  double start_, rate_;
  bool by_loss_;
  DroppedSets dropped_;
  std::int64_t edge_decisions_ = 0, node_decisions_ = 0, taken_ = 0;
};

}  // namespace mixop::strategies
