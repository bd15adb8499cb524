#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mixop/chain.hpp"
#include "mixop/genotype.hpp"
#include "mixop/operator_instance.hpp"
#include "mixop/strategy.hpp"

namespace mixop::supernet {

/// Where a cell stands in the network.
struct CellPlace {
  ImageShape older;            ///< output of the cell before the last one
  ImageShape newer;            ///< output of the last cell
  std::int64_t channels = 16;  ///< of every node
  bool reduction = false;      ///< edges from the inputs have stride 2
};

/// Both inputs brought to one shape: ReLU, 1x1 convolution, batch norm; a factorized reduction where the older input
/// has twice the resolution.
class Preprocess {
 public:
  Preprocess(const CellPlace& place, bool affine);
  std::vector<at::Tensor> forward(const at::Tensor& older, const at::Tensor& newer, const Forward& how) const;
  void append_state(std::vector<StateEntry>& to, const std::string& prefix) const;
  /// The common shape; adds the cost.
  ImageShape measure(const CellPlace& place, Cost& cost) const;

 private:
  Chain older_, newer_;
};

/// One candidate of an edge, with the norm that follows a pool in a supernet.
struct Candidate {
  OperatorInstance operation;
  std::optional<Chain> norm;

  at::Tensor forward(const at::Tensor& x, const Forward& how) const;
  bool is_zero() const { return is_only(operation.structure(), MIXOP_STAGE_ZERO); }
};

/// A pool gets a batch norm without affine behind it, as every candidate of a supernet is normalised.
Candidate make_candidate(const OperatorCatalog& operators, const std::string& name, const OpSpec& spec);

/// A cell of a supernet, run plainly: every candidate by its own forward, weighted and summed. Candidates that are zero
/// are skipped, which changes nothing: their edge weights have a gradient of zero.
class SearchCell {
 public:
  SearchCell(const CellTopology& topology, const CellPlace& place, const OperatorCatalog& operators,
             const EdgeTransform& transform);
  /// `weights` is [edges, operations].
  at::Tensor forward(const at::Tensor& older, const at::Tensor& newer, const at::Tensor& weights,
                     const Forward& how) const;
  void append_state(std::vector<StateEntry>& to, const std::string& prefix) const;
  const ImageShape& output() const { return output_; }
  const Cost& cost() const { return cost_; }

 private:
  struct Edge {
    int from, to;
    std::int64_t stride;
    std::vector<Candidate> candidates;
  };
  at::Tensor run_edge(const Edge& edge, const at::Tensor& x, const at::Tensor* weights, const Forward& how) const;

  const EdgeTransform& transform_;
  Preprocess preprocess_;
  int nodes_;
  std::size_t candidates_;
  std::vector<int> concat_;
  std::vector<Edge> edges_;
  ImageShape output_;
  Cost cost_;
};

/// A cell of a discrete network. Drop-path divides by the probability of staying before it masks, per sample, with its
/// own mask for every gene, and leaves identities alone.
class DiscreteCell {
 public:
  DiscreteCell(const CellGenotype& genotype, const CellPlace& place, const OperatorCatalog& operators);
  at::Tensor forward(const at::Tensor& older, const at::Tensor& newer, const Pass& pass, std::uint64_t key) const;
  void append_state(std::vector<StateEntry>& to, const std::string& prefix) const;
  const ImageShape& output() const { return output_; }
  const Cost& cost() const { return cost_; }

 private:
  struct Step {
    int from, to;
    OperatorInstance operation;
  };
  Preprocess preprocess_;
  int nodes_;
  std::vector<int> concat_;
  std::vector<Step> steps_;
  ImageShape output_;
  Cost cost_;
};

}  // namespace mixop::supernet
