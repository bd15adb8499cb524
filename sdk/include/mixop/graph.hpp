#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mixop/abi/operator.h"
#include "mixop/options.hpp"
#include "mixop/structure.hpp"

// The description of a network: what search spaces return and everything else reads. Values only, without LibTorch.

namespace mixop {

enum class Domain : std::uint32_t { image = MIXOP_DOMAIN_IMAGE, recurrent = MIXOP_DOMAIN_RECURRENT };

/// Shape of one image or feature map; of a text's word the width as channels.
struct ImageShape {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  friend bool operator==(const ImageShape&, const ImageShape&) = default;
};

/// The shape after a stride: both sides divided, rounded up.
inline ImageShape strided(const ImageShape& shape, std::int64_t stride) {
  return {shape.channels, (shape.height + stride - 1) / stride, (shape.width + stride - 1) / stride};
}

inline std::int64_t numbers_of(const ImageShape& shape) { return shape.channels * shape.height * shape.width; }

/// What an operator is built for.
struct OpSpec {
  std::int64_t in = 16;   ///< channels of the input
  std::int64_t out = 16;  ///< channels of the output
  std::int64_t stride = 1;
  bool affine = false;  ///< whether batch norms have weight and bias
  Options options = {};  ///< a value of each that the operator declares, where the operator is asked; elsewhere empty
  friend bool operator==(const OpSpec&, const OpSpec&) = default;
};

/// One operator, by the name that users write.
struct NamedOp {
  std::string name;
  OpSpec spec;
};

/// A row of an alpha set: the weights of the candidates of one edge.
struct AlphaRef {
  int set = 0;   ///< index into NetworkGraph::alphas
  int cell = 0;  ///< the row of a set that has rows for cells; otherwise 0
  int edge = 0;
};

/// A mixed operation: all candidates on the same input, weighted and summed.
struct Choice {
  std::vector<std::string> candidates;
  OpSpec spec;
  AlphaRef alphas;
  /// Candidates whose structure ends in a pool get a batch norm without affine behind it, and their state the names
  /// "0.…" and "1.…" (MixedOp of DARTS' published code).
  bool pools_normalised = false;
  /// The candidates see the first 1 / channel_divisor of the channels, which `spec` counts; the others pass by (at
  /// stride 2 through a 2x2 max pool), and all are shuffled in that many groups (PC-DARTS, Xu et al., ICLR 2020,
  /// section 3.2). Set by an edge rule, not by spaces.
  std::int64_t channel_divisor = 1;
};

/// One operation from a node of a cell to a later one.
struct Edge {
  std::string name;  ///< begins the names of its state within the cell: "_ops.3"; may be empty
  int from = 0;
  int to = 0;
  std::variant<Structure, NamedOp, Choice> does;
  bool runs = true;  ///< false: it has parameters, as the published network has, and is never computed
};

/// What drop-path (Larsson et al., ICLR 2017) masks in training: each operation other than the identity, or each node's
/// sum.
enum class DropPath { none, operations, nodes };

/// A directed acyclic graph of edges. Nodes 0 .. inputs - 1 are what the cell reads; every other node is the sum of the
/// edges into it, which come from earlier nodes, in the order of the list.
struct Cell {
  std::string name;  ///< begins the names of its state: "cells.3"; may be empty
  std::string kind;  ///< for people: "normal", "reduce", "stem"
  int inputs = 1;
  std::vector<Edge> edges;
  std::vector<int> output;  ///< nodes whose channels make the output, in that order
  DropPath drop_path = DropPath::none;
  std::vector<std::string> labels{};  ///< for people: what its nodes are called; empty: by their numbers
};

/// A cell at its place in the network. Blocks run in their order.
struct Block {
  Cell cell;
  std::vector<int> reads;  ///< earlier blocks, one for each input of the cell; -1 is the network's own input
};

/// A block whose output [N, classes] is classified: the cross entropy, times `weight`, is a term of the loss.
struct Output {
  int block = 0;
  double weight = 1;
  bool training_only = false;  ///< block and term exist in training alone, as an auxiliary head does
  /// Share of a target spread over all classes, in training (Szegedy et al. 2016, section 7).
  double label_smoothing = 0;
};

/// One kind of cell as users and genotypes see it. Edges are in the order of the rows of its alphas. Its nodes count
/// the cell's inputs as its genotypes do, which need not be the numbers in a Cell.
struct CellTopology {
  struct Edge {
    int from = 0;
    int to = 0;
    friend bool operator==(const Edge&, const Edge&) = default;
  };
  std::string name;                     ///< "normal", "reduce", "recurrent"
  int inputs = 2;                       ///< nodes 0 .. inputs - 1
  int nodes = 4;                        ///< intermediate nodes, numbered on from `inputs`
  std::vector<Edge> edges;              ///< ascending in `to`, then in `from`
  std::vector<std::string> operations;  ///< candidates of every edge, in the order of the columns of its alphas
  std::vector<int> concat;              ///< nodes that make the cell's output
  /// How many edges into a node its genotypes keep; 0: as many as the cell has inputs (DARTS: two of an image cell).
  int kept = 0;
  bool keeps_none = false;  ///< its genotypes list edges with the operation none, too
};

/// A tensor of alphas: [edges, operations], or [rows, edges, operations] where cells have rows of their own.
struct AlphaSet {
  std::string name;  ///< "alphas_normal"
  CellTopology topology;
  std::vector<int> cells;  ///< the positions of the network that it drives, as genotypes by position count them
  bool per_cell = false;
  std::vector<int> rows{};  ///< per cell: the row of each of `cells`, which may share one; empty: a row each, in order
  std::optional<std::vector<int>> reductions{};  ///< per cell: those of `cells` that halve the resolution, where known
  /// Of a set of one column that weighs the edges of another set (see EdgeRuleData): the place of that one.
  std::optional<int> weighs{};
  std::vector<double> start{};  ///< values around which a search starts, in the order of the tensor; empty: zeros

  int row_of(std::size_t cell) const { return rows.empty() ? static_cast<int>(cell) : rows[cell]; }
  std::vector<std::int64_t> shape() const {
    std::vector<std::int64_t> sizes{static_cast<std::int64_t>(topology.edges.size()),
                                    static_cast<std::int64_t>(topology.operations.size())};
    int count = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) count = std::max(count, row_of(i) + 1);
    if (per_cell) sizes.insert(sizes.begin(), count);
    return sizes;
  }
};

/// What a strategy changes of every choice of a network.
struct EdgeRuleData {
  std::int64_t channel_divisor = 1;  ///< see Choice::channel_divisor
  /// Every edge has an alpha of its own, beta, and the softmax of those of a node's edges weighs them (edge normalization
  /// of PC-DARTS, equation 3), in searches and where genotypes are derived.
  bool edge_weights = false;
  friend bool operator==(const EdgeRuleData&, const EdgeRuleData&) = default;
};

/// What makes a recurrent cell a language model (Merity et al. 2018; DARTS section 3.1): words are embedded, the one
/// block of the graph steps over them as a highway cell, and a decoder that shares the embedding's matrix predicts the
/// next word. In such a graph an edge is an activation f between states of `width` numbers: a node is the sum over its
/// edges of s + c (f(h) - s), (c, h) = (sigmoid(x), y) of the product (x, y) of s and the node's matrix, weighted where
/// the edge is a choice. The cell's output is the mean of its output nodes.
struct LanguageModel {
  std::int64_t width = 300;
  std::int64_t words = 0;
  double dropout_output = 0;  ///< of the cell's outputs before the decoder
  double dropout_hidden = 0;  ///< of the states that a node reads
  double dropout_input = 0;   ///< of the embedded words that the cell reads
  double dropout_embedding = 0;
  double dropout_words = 0;  ///< of whole words of the embedding
  double activation_l2 = 0;  ///< weight of the mean square of the outputs, in training steps
  double slowness = 0;       ///< weight of the mean square of the outputs' change from word to word, in training steps
  bool node_norm = false;    ///< one batch norm without affine serves all nodes, as in DARTS' search cell
  bool running_statistics = false;  ///< that norm evaluates by running statistics in place of the batch's
};

/// A network, described.
struct NetworkGraph {
  Domain domain = Domain::image;
  ImageShape input;  ///< of one image; ignored for text
  std::int64_t classes = 0;
  std::vector<Block> blocks;
  std::vector<Output> outputs;
  std::vector<AlphaSet> alphas;                   ///< empty for the network of a genotype
  std::optional<LanguageModel> language_model{};  ///< for text: then there is one block and no output
};

}  // namespace mixop
