// The parts that DARTS and most of its successors share: the softmax over the operations of an edge, the published
// derivation, partial channels, and the empty parts.
#include "darts_deriver.hpp"

#include "mixop/plugin.hpp"

#include <ATen/ATen.h>

namespace mixop::strategies {
namespace {

/// DARTS, equation 2; alphas over a temperature.
class Softmax final : public Relaxation {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_REAL, "temperature", "1", "What alphas are divided by, above 0: small ones sharpen."),
  };
  explicit Softmax(const Options& options) : temperature_(options.real("temperature")) {
    if (!(temperature_ > 0))
      throw Error(ErrorCode::usage,
                  "softmax.temperature: expected a number above 0, found " + options.text("temperature"));
  }
  Relaxed relax(const at::Tensor& alphas, const RelaxationContext&) const override {
    return {at::softmax(alphas / temperature_, -1)};
  }

 private:
  double temperature_;
};

class NoRegulariser final : public Regulariser {
 public:
  explicit NoRegulariser(const Options&) {}
  at::Tensor term(const std::vector<at::Tensor>&, const std::vector<Relaxed>&, const SearchPosition&) const override {
    return {};
  }
};

class NoSmoothing final : public Smoothing {
 public:
  explicit NoSmoothing(const Options&) {}
  std::vector<Relaxed> smoothed(BilevelProblem&, const std::vector<Relaxed>& edge_weights,
                                const SearchPosition&) override {
    return edge_weights;
  }
};

class NoSchedule final : public Schedule {
 public:
  explicit NoSchedule(const Options&) {}
  EpochPlan plan(const SearchPosition&) const override { return {}; }
};

class NoEdgeRule final : public EdgeRule {
 public:
  explicit NoEdgeRule(const Options&) {}
  EdgeRuleData rule() const override { return {}; }
};

/// Partial channel connections and edge normalization of PC-DARTS (Xu et al., ICLR 2020, sections 3.2 and 3.3).
class PartialChannels final : public EdgeRule {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_INTEGER, "divisor", "4",
             "The operations of an edge see one in so many channels, from 1 on; it must divide the channels of every "
             "cell."),
      option(MIXOP_OPTION_BOOL, "edge_weights", "true",
             "The edges into a node are weighed by the softmax of alphas of their own."),
  };

  explicit PartialChannels(const Options& options) : rule_{options.integer("divisor"), options.flag("edge_weights")} {
    if (rule_.channel_divisor < 1)
      throw Error(ErrorCode::usage,
                  "partial_channels.divisor: expected a number from 1 on, found " + options.text("divisor"));
  }
  EdgeRuleData rule() const override { return rule_; }

 private:
  EdgeRuleData rule_;
};

class NoStopper final : public Stopper {
 public:
  explicit NoStopper(const Options&) {}
  std::string reason_to_stop(const EpochReport&) override { return ""; }
};

constexpr MixopStrategyPart kPcDartsParts[] = {
    strategy_slot("relaxation", "softmax"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("edge_rule", "partial_channels"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kPcDarts = strategy_table(
    kPcDartsParts, "PC-DARTS (Xu et al., ICLR 2020): operations see a part of the channels, and edges are weighed.");

}  // namespace
}  // namespace mixop::strategies

MIXOP_PLUGIN("mixop.strategies.darts_parts", "0.1.0",
             "Softmax, the published derivation of DARTS, partial channels, and the empty parts.",
             mixop::strategy_part<mixop::strategies::Softmax>("softmax", "The softmax over the operations of an edge."),
             mixop::strategy_part<mixop::strategies::NoRegulariser>("none", "Nothing."),
             mixop::strategy_part<mixop::strategies::NoSmoothing>("none", "Nothing."),
             mixop::strategy_part<mixop::strategies::NoSchedule>("none", "Nothing."),
             mixop::strategy_part<mixop::strategies::NoEdgeRule>("none", "Nothing."),
             mixop::strategy_part<mixop::strategies::PartialChannels>(
                 "partial_channels", "A fourth of the channels, and weights of edges (PC-DARTS)."),
             mixop::strategy_part<mixop::strategies::NoStopper>("none", "Nothing."),
             mixop::strategy_part<mixop::strategies::DartsDeriver>(
                 "darts", "The strongest operation of each of the two strongest edges (DARTS)."),
             mixop::strategy_part<mixop::strategies::LimitedSkips>("darts_limited_skips",
                                                                   "As darts, with at most so many skips."),
             mixop::strategy("pc_darts", mixop::strategies::kPcDarts));
