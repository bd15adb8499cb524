// Criteria that end a search: those of DARTS+ (Liang et al., arXiv 1909.06035, section 3.2), and a loss that no longer
// falls.
#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace mixop::strategies {
namespace {

std::int64_t count_option(const Options& options, const std::string& part, const std::string& name) {
  const std::int64_t count = options.integer(name);
  if (count < 1)
    throw Error(ErrorCode::usage, part + "." + name + ": expected a number from 1 on, found " + options.text(name));
  return count;
}

at::Tensor stored_tensor(const NamedTensors& state, const std::string& part, const std::string& name,
                         at::ScalarType type) {
  const auto found = state.find(name);
  if (found == state.end() || found->second.scalar_type() != type)
    throw Error(ErrorCode::bad_data, "the stopper " + part + " does not find '" + name +
                                         "' in its state; was it written by another version of a plugin?");
  return found->second;
}

template <class Number>
Number stored_number(const NamedTensors& state, const std::string& part, const std::string& name, at::ScalarType type) {
  const at::Tensor stored = stored_tensor(state, part, name, type);
  if (stored.numel() != 1)
    throw Error(ErrorCode::bad_data, "the stopper " + part + " finds no number '" + name +
                                         "' in its state; was it written by another version of a plugin?");
  return stored.item<Number>();
}

/// DARTS+, criterion 1: a cell that keeps the resolution has so many skips.
class SkipCount final : public Stopper {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_INTEGER, "limit", "2",
             "The search ends where a cell that does not reduce the resolution has so many skips, from 1 on."),
      option(MIXOP_OPTION_TEXT, "operations", "skip_connect,identity", "What skips are called, with commas."),
  };
  explicit SkipCount(const Options& options) : limit_(count_option(options, "skip_count", "limit")) {
    for (const std::string& name : options.list("operations")) skips_.insert(name);
  }

  std::string reason_to_stop(const EpochReport& report) override {
    if (!report.alphas_moved) return "";
    const std::vector<int> none, &reductions = report.genotype->reductions ? *report.genotype->reductions : none;
    const bool by_position = report.genotype->by_position();
    for (const CellGenotype& cell : report.genotype->cells) {
      if (cell.name == "reduce") continue;
      if (by_position && std::count(reductions.begin(), reductions.end(), std::stoi(cell.name)) != 0) continue;
      const auto skips = std::count_if(cell.genes.begin(), cell.genes.end(),
                                       [&](const Gene& gene) { return skips_.count(gene.operation) != 0; });
      if (skips >= limit_)
        return "cell '" + cell.name + "' has " + std::to_string(skips) + " skips; skip_count.limit is " +
               std::to_string(limit_);
    }
    return "";
  }

 private:
  std::int64_t limit_;
  std::set<std::string> skips_;
};

/// DARTS+, criterion 2: on every edge the order of the operations that learn, those with parameters on all edges, has
/// been the same for so many epochs; of all operations where none has parameters.
class RankStable final : public Stopper {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(
          MIXOP_OPTION_INTEGER, "epochs", "10",
          "The search ends where the order of the operations of every edge has not changed for so many epochs, from 1 "
          "on."),
  };
  explicit RankStable(const Options& options) : epochs_(count_option(options, "rank_stable", "epochs")) {}

  void begin(const std::vector<SearchedSet>& sets) override {
    learning_.clear();
    for (const SearchedSet& set : sets) {
      const std::size_t operations = set.set.topology.operations.size();
      std::vector<bool> learns(operations, true);
      for (std::size_t i = 0; i < set.parameters.size(); ++i)
        if (set.parameters[i] == 0) learns[i % operations] = false;
      const bool any = std::count(learns.begin(), learns.end(), true) != 0;
      std::vector<std::int64_t> columns;
      for (std::size_t k = 0; k < operations; ++k)
        if (learns[k] || !any) columns.push_back(static_cast<std::int64_t>(k));
      learning_.push_back(at::tensor(columns, at::kLong));
    }
  }

  std::string reason_to_stop(const EpochReport& report) override {
    if (!report.alphas_moved) return "";
    std::vector<at::Tensor> orders;
    bool same = !orders_.empty();
    for (std::size_t set = 0; set < report.relaxed->size(); ++set) {
      const at::Tensor of_learning = (*report.relaxed)[set].index_select(-1, learning_[set]);
      orders.push_back(of_learning.argsort(/*stable=*/true, /*dim=*/-1, /*descending=*/true));
      same = same && at::equal(orders.back(), orders_[set]);
    }
    calm_ = same ? calm_ + 1 : 0;
    orders_ = std::move(orders);
    if (calm_ < epochs_) return "";
    return "the order of the operations of every edge has not changed for " + std::to_string(calm_) + " epochs";
  }

  NamedTensors save() const override {
    if (orders_.empty()) return {};
    NamedTensors state{{"calm", at::tensor(calm_, at::kLong)}};
    for (std::size_t set = 0; set < orders_.size(); ++set) state["order_" + std::to_string(set)] = orders_[set];
    return state;
  }

  void load(const NamedTensors& state) override {
    orders_.clear();
    calm_ = 0;
    if (state.empty()) return;
    calm_ = stored_number<std::int64_t>(state, "rank_stable", "calm", at::kLong);
    for (std::size_t set = 0; set < learning_.size(); ++set)
      orders_.push_back(stored_tensor(state, "rank_stable", "order_" + std::to_string(set), at::kLong));
  }

 private:
  std::int64_t epochs_;
  std::vector<at::Tensor> learning_;  // the columns of each set whose order counts
  std::vector<at::Tensor> orders_;    // of the last epoch that counts
  std::int64_t calm_ = 0;             // epochs in a row without a change
};

/// The validation loss has not fallen below its least value for so many epochs.
class Patience final : public Stopper {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_INTEGER, "epochs", "10",
             "The search ends where the validation loss has had no new least value for so many epochs, from 1 on."),
  };
  explicit Patience(const Options& options) : epochs_(count_option(options, "patience", "epochs")) {}

  std::string reason_to_stop(const EpochReport& report) override {
    if (!report.alphas_moved) return "";
    const bool better = !least_ || report.valid_loss < *least_;
    waited_ = better ? 0 : waited_ + 1;
    if (better) least_ = report.valid_loss;
    if (waited_ < epochs_) return "";
    return "the validation loss has not fallen below " + std::to_string(*least_) + " for " + std::to_string(waited_) +
           " epochs";
  }

  NamedTensors save() const override {
    if (!least_) return {};
    return {{"least", at::tensor(*least_, at::kDouble)}, {"waited", at::tensor(waited_, at::kLong)}};
  }
  void load(const NamedTensors& state) override {
    least_.reset();
    waited_ = 0;
    if (state.empty()) return;
    least_ = stored_number<double>(state, "patience", "least", at::kDouble);
    waited_ = stored_number<std::int64_t>(state, "patience", "waited", at::kLong);
  }

 private:
  std::int64_t epochs_;
  std::optional<double> least_;
  std::int64_t waited_ = 0;
};

}  // namespace
}  // namespace mixop::strategies

MIXOP_PLUGIN(
    "mixop.strategies.stoppers", "0.1.0", "Stoppers: skips in a cell, a stable order of the alphas, patience.",
    mixop::strategy_part<mixop::strategies::SkipCount>("skip_count",
                                                       "Ends a search whose cells get too many skips (DARTS+)."),
    mixop::strategy_part<mixop::strategies::RankStable>("rank_stable",
                                                        "Ends a search whose operations keep their order (DARTS+)."),
    mixop::strategy_part<mixop::strategies::Patience>("patience",
                                                      "Ends a search whose validation loss does not fall any more."));
