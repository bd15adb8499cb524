#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "host/graph/operators.hpp"
#include "host/runtime/network.hpp"
#include "host/runtime/plain_block.hpp"
#include "mixop/graph.hpp"

namespace mixop {

/// What every step of one pass shares.
struct CellPass {
  const Forward& how;
  at::Tensor hidden_mask;  ///< [N, width], undefined without dropout
  RelaxedRows& relaxed;    ///< of a search cell
  /// The weights of every node's edges, [sources, operations, 1, 1], cut by the cell in the pass' first step.
  std::vector<at::Tensor> node_weights{};
};

/// The recurrent cell of DARTS (Liu et al., ICLR 2019, section 2.1 and appendix A.2, after Zilly et al. 2017 and Pham
/// et al. 2018): a highway step from the input to node 0, then one from earlier nodes to each node. See LanguageModel.
class RecurrentCell {
 public:
  virtual ~RecurrentCell() = default;

  /// The new hidden state [N, width]. `projected` is [N, 2 * width]: the word times the upper half of _W0.
  at::Tensor step(const at::Tensor& projected, const at::Tensor& hidden, CellPass& pass) const;
  /// The upper half of _W0, [width, 2 * width].
  at::Tensor input_weights() const { return w0_.narrow(0, 0, width_); }
  /// Under full names: <cell>._W0, <cell>._Ws.<node>, and what else the cell has.
  virtual std::vector<StateEntry> state() const;

 protected:
  /// `nodes` matrices _Ws of [width, 2 * width] beside _W0 of [2 * width, 2 * width], uniform in +-0.04.
  RecurrentCell(std::string name, std::int64_t width, int nodes, const Target& target);
  /// The nodes behind node 0, and the mean of those that make the output.
  virtual at::Tensor nodes(const at::Tensor& initial, CellPass& pass) const = 0;

  const at::Tensor& weights(int node) const { return ws_[static_cast<std::size_t>(node)]; }
  std::int64_t width() const { return width_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::int64_t width_;
  at::Tensor w0_;
  std::vector<at::Tensor> ws_;
};

/// Uniform in +-0.04, drawn on the CPU in float32.
at::Tensor initial_weights(std::int64_t rows, std::int64_t columns, const Target& target);

/// The cell of a graph of choices: every node is the sum over its edges and all candidates. With `node_norm` all nodes
/// are normalised by the cell's one batch norm. Its evaluation normalises by the statistics of the columns at hand, of
/// which there must be two at least: running ones mix those of all nodes and fit none. `running_statistics` uses them
/// all the same, as the published code does. Fused, a node whose alphas are all active and whose activations the kernels
/// know is a highway_sum().
std::unique_ptr<RecurrentCell> make_search_cell(const Cell& cell, const LanguageModel& model,
                                                const OperatorCatalog& operators, const Target& target,
                                                Execution execution);

/// The cell of a graph of named activations: one predecessor and one activation a node, no norm.
std::unique_ptr<RecurrentCell> make_discrete_cell(const Cell& cell, const LanguageModel& model,
                                                  const OperatorCatalog& operators, const Target& target);

}  // namespace mixop
