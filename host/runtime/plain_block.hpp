#pragma once

#include <ATen/core/Tensor.h>

#include <variant>
#include <vector>

#include "host/graph/state_name.hpp"
#include "host/runtime/candidates.hpp"
#include "host/runtime/network.hpp"

namespace mixop {

/// The relaxed alphas of one pass, cut into the rows that choices name.
class RelaxedRows {
 public:
  RelaxedRows(const std::vector<AlphaSet>& sets, const std::vector<Relaxed>& relaxed)
      : sets_(sets), relaxed_(relaxed), cut_(sets.size()) {}

  /// [operations]
  const at::Tensor& weights(const AlphaRef& ref);
  /// The weight of the edge itself, [1]; undefined for 1.
  at::Tensor edge(const AlphaRef& ref) const;
  bool has_edges(const AlphaRef& ref) const { return relaxed_[static_cast<std::size_t>(ref.set)].edges.defined(); }
  bool is_active(const AlphaRef& ref, std::size_t operation) const;
  bool all_active(const AlphaRef& ref) const { return relaxed_[static_cast<std::size_t>(ref.set)].active.empty(); }

 private:
  struct Cut {
    int cell = -1;
    std::vector<at::Tensor> rows;
  };
  const std::vector<AlphaSet>& sets_;
  const std::vector<Relaxed>& relaxed_;
  std::vector<Cut> cut_;  // of every set: the cell cut last
};

/// A block of a graph, run plainly: edge by edge. What candidates of one node begin with is computed once. Candidates
/// that are zero are skipped, which changes nothing: their weights have a gradient of zero.
class PlainBlock {
 public:
  PlainBlock(const Block& block, const OperatorCatalog& operators, const Target& target);

  /// `inputs` are what the block reads; `key` is that of its own draws.
  at::Tensor forward(const std::vector<at::Tensor>& inputs, RelaxedRows& relaxed, const Pass& pass,
                     std::uint64_t key) const;
  /// Under full names.
  const std::vector<StateEntry>& state() const { return state_; }

  /// The candidates of a choice.
  struct Mixed {
    AlphaRef alphas;
    OpSpec spec;
    std::int64_t divisor;
    std::vector<Candidate> candidates;
    std::vector<std::size_t> starts;   // of each candidate: an index into starts_, or kAlone
    std::vector<std::size_t> counted;  // those that are not zero
    at::Tensor columns;                // their places, on the target's device
  };
  /// An edge that runs.
  struct Step {
    int from, to;
    std::variant<Module, OperatorInstance, Mixed> does;
    bool drops;          // drop-path masks it
    std::uint64_t draw;  // its number among the operations of the block
  };
  /// In the order in which they run: ascending in `to`.
  const std::vector<Step>& steps() const { return steps_; }
  /// The block's cell without its edges.
  const Cell& cell() const { return cell_; }
  int nodes() const { return nodes_; }

 private:
  static constexpr std::size_t kAlone = static_cast<std::size_t>(-1);
  struct Start {
    int from;
    SharedStart shared;
  };
  using Started = std::vector<at::Tensor>;  // what the starts gave in the pass at hand, so far

  /// "edge cells.1._ops.3", for messages.
  std::string place_of(const Edge& edge) const;
  void add_state(const std::string& prefix, const std::vector<StateEntry>& entries);
  Mixed mixed_of(const Edge& edge, const Choice& choice, const std::string& prefix, const OperatorCatalog& operators,
                 const Target& target);
  std::size_t start_of(int from, const Candidate& candidate);
  at::Tensor run(const Step& step, const at::Tensor& x, RelaxedRows& relaxed, Started& started, const Pass& pass,
                 std::uint64_t key) const;
  at::Tensor run_candidate(const Mixed& mixed, std::size_t k, const at::Tensor& x, Started* started,
                           const Forward& how) const;
  at::Tensor run_mixed(const Mixed& mixed, const at::Tensor& x, RelaxedRows& relaxed, Started* started,
                       const Forward& how) const;
  at::Tensor run_partly(const Mixed& mixed, const at::Tensor& x, RelaxedRows& relaxed, const Forward& how) const;

  Cell cell_;
  int nodes_ = 0;
  std::vector<Step> steps_;
  std::vector<Start> starts_;
  std::vector<StateEntry> state_;
};

/// Channels that pass operations of that stride by: at stride 2 through a 2x2 max pool.
at::Tensor passing_channels(const at::Tensor& x, std::int64_t stride);

/// Divides by the probability of staying, then masks per sample; the mask is a function of `key`.
at::Tensor drop_path(const at::Tensor& x, double probability, std::uint64_t key);
/// Which of the samples stay in drop_path(): bool [samples, 1, 1, 1] on the device of `like`.
at::Tensor samples_that_stay(std::int64_t samples, double probability, std::uint64_t key, const at::Tensor& like);

}  // namespace mixop
