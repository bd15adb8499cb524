#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "mixop/chain.hpp"
#include "mixop/genotype.hpp"
#include "mixop/network.hpp"
#include "mixop/operator_instance.hpp"

namespace mixop::darts_rnn {

/// What every step of one pass shares.
struct CellPass {
  const Forward& how;
  at::Tensor hidden_mask;   ///< [N, width], undefined without dropout
  at::Tensor edge_weights;  ///< [edges, operations] of a search cell
};

/// The recurrent cell of DARTS (Liu et al., ICLR 2019, section 2.1 and appendix A.2, after Zilly et al. 2017 and Pham
/// et al. 2018): a highway step from the input to node 0, then one from earlier nodes to each node.
class RecurrentCell {
 public:
  virtual ~RecurrentCell() = default;

  /// The new hidden state [N, width]. `projected` is [N, 2 * width]: the word times the upper half of _W0.
  at::Tensor step(const at::Tensor& projected, const at::Tensor& hidden, const CellPass& pass) const;
  /// The upper half of _W0, [width, 2 * width].
  at::Tensor input_weights() const { return w0_.narrow(0, 0, width_); }
  virtual std::vector<StateEntry> state() const;
  /// Its matrices and what follows each, for one word.
  NetworkPart part() const;

 protected:
  /// `nodes` matrices _Ws of [width, 2 * width] beside _W0 of [2 * width, 2 * width], uniform in +-0.04.
  RecurrentCell(std::int64_t width, int nodes);
  /// The nodes behind node 0, and the mean of those that make the output.
  virtual at::Tensor nodes(const at::Tensor& initial, const CellPass& pass) const = 0;

  /// The layer of a node, counted from 0: the product with its matrix and what follows. Its parameters are counted.
  virtual NetworkPart node_layer(int node) const = 0;
  /// How many nodes make the output.
  virtual std::size_t outputs() const = 0;

  const at::Tensor& weights(int node) const { return ws_[static_cast<std::size_t>(node)]; }
  std::int64_t width() const { return width_; }

 private:
  std::int64_t width_;
  at::Tensor w0_;
  std::vector<at::Tensor> ws_;
};

/// Every node is the sum over all earlier nodes and all candidates, normalised by the cell's one batch norm. Evaluation
/// normalises by the statistics of the columns at hand, of which there must be two at least: running ones mix those of all
/// nodes and fit none. `running_statistics` uses them all the same, as the published code does.
std::unique_ptr<RecurrentCell> make_search_cell(const CellTopology& topology, std::int64_t width,
                                                const OperatorCatalog& operators, bool running_statistics);

/// The cell of a genotype: one predecessor and one activation a node, no norm.
std::unique_ptr<RecurrentCell> make_discrete_cell(const CellGenotype& genotype, std::int64_t width,
                                                  const OperatorCatalog& operators);

}  // namespace mixop::darts_rnn
