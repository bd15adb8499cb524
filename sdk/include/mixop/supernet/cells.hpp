#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mixop/chain.hpp"
#include "mixop/genotype.hpp"
#include "mixop/operator_instance.hpp"
#include "mixop/strategy.hpp"
#include "mixop/supernet/candidates.hpp"

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
  /// The common shape; appends both as layers.
  ImageShape measure(const CellPlace& place, std::vector<NetworkPart>& layers) const;

 private:
  Chain older_, newer_;
};

/// "0 -> 2"
std::string edge_name(int from, int to);

/// The stride of an operation from node `from`: 2 from the inputs of a reduction cell, otherwise 1.
std::int64_t stride_of(const CellPlace& place, int from);

/// Divides by the probability of staying, then masks per sample; the mask is a function of `key`.
at::Tensor drop_path(const at::Tensor& x, double probability, std::uint64_t key);

/// A cell of an image network, mixed or discrete.
class ImageCell {
 public:
  virtual ~ImageCell() = default;
  /// `weights` is [edges, operations], and undefined in a discrete network. `key` is that of the cell's own draws.
  virtual at::Tensor forward(const at::Tensor& older, const at::Tensor& newer, const at::Tensor& weights,
                             const Pass& pass, std::uint64_t key) const = 0;
  virtual void append_state(std::vector<StateEntry>& to, const std::string& prefix) const = 0;
  /// Its kind, output and layers.
  virtual const NetworkPart& part() const = 0;

 protected:
  ImageCell() = default;
};

/// The layer that makes a cell's output: the sums of its nodes, `terms` in all for `nodes` of them, and the
/// concatenation of `concat`.
NetworkPart output_layer(const ImageShape& node, std::size_t terms, std::size_t nodes, const std::vector<int>& concat);

/// A cell of a supernet, run plainly: every candidate, weighted and summed. What candidates of one state begin with is
/// computed once. Candidates that are zero are skipped, which changes nothing: their edge weights have a gradient of
/// zero.
class SearchCell final : public ImageCell {
 public:
  SearchCell(const CellTopology& topology, const CellPlace& place, const OperatorCatalog& operators,
             const EdgeTransform& transform);
  at::Tensor forward(const at::Tensor& older, const at::Tensor& newer, const at::Tensor& weights, const Pass& pass,
                     std::uint64_t key) const override;
  void append_state(std::vector<StateEntry>& to, const std::string& prefix) const override;
  const NetworkPart& part() const override { return part_; }

 private:
  static constexpr std::size_t kAlone = static_cast<std::size_t>(-1);
  struct Edge {
    int from, to;
    std::int64_t stride;
    std::vector<Candidate> candidates;
    std::vector<std::size_t> starts;  // of each candidate: an index into starts_, or kAlone
  };
  struct Start {
    int from;
    SharedStart shared;
  };
  /// What the starts gave in the pass at hand, so far.
  using Started = std::vector<at::Tensor>;

  std::size_t start_of(int from, const Candidate& candidate);
  /// Takes a candidate into the last edge; answers it as a layer. What an earlier candidate begins with is not put out
  /// again, and zeros are not at all.
  NetworkPart add_candidate(Edge& edge, Candidate candidate, const ImageShape& input, bool whole_state);
  at::Tensor run_candidate(const Edge& edge, std::size_t k, const at::Tensor& x, Started* started,
                           const Forward& how) const;
  at::Tensor run_edge(const Edge& edge, const at::Tensor& x, const at::Tensor& weights, Started* started,
                      const Forward& how) const;

  const EdgeTransform& transform_;
  Preprocess preprocess_;
  int nodes_;
  std::vector<int> concat_;
  std::vector<Edge> edges_;
  std::vector<Start> starts_;
  NetworkPart part_;
};

/// A cell of a discrete network. Drop-path divides by the probability of staying before it masks, per sample, with its
/// own mask for every gene, and leaves identities alone.
class DiscreteCell final : public ImageCell {
 public:
  DiscreteCell(const CellGenotype& genotype, const CellPlace& place, const OperatorCatalog& operators);
  at::Tensor forward(const at::Tensor& older, const at::Tensor& newer, const at::Tensor& weights, const Pass& pass,
                     std::uint64_t key) const override;
  void append_state(std::vector<StateEntry>& to, const std::string& prefix) const override;
  const NetworkPart& part() const override { return part_; }

 private:
  struct Step {
    int from, to;
    OperatorInstance operation;
  };
  Preprocess preprocess_;
  int nodes_;
  std::vector<int> concat_;
  std::vector<Step> steps_;
  NetworkPart part_;
};

}  // namespace mixop::supernet
