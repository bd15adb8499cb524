#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mixop/abi/operator.h"

namespace mixop {

enum class StateKind { parameter = MIXOP_STATE_PARAMETER, buffer = MIXOP_STATE_BUFFER };

/// A named parameter or buffer. Copies of an entry share the tensor.
struct StateEntry {
  std::string name;
  at::Tensor tensor;
  StateKind kind = StateKind::parameter;
};

/// How one forward pass is run.
struct Forward {
  bool training = true;           ///< batch statistics, drop-path; otherwise running statistics
  bool update_statistics = true;  ///< a training pass also updates running statistics
  std::uint64_t key = 0;          ///< every random draw of the pass is a function of this key
};

struct Cost {
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;      ///< convolutions and linear layers of one sample, in evaluation
  std::int64_t activations = 0;        ///< numbers that its layers put out for one sample, in training
  std::vector<std::string> uncounted;  ///< operators that do not tell their multiply-adds
  Cost& operator+=(const Cost& other) {
    parameters += other.parameters;
    multiply_adds += other.multiply_adds;
    activations += other.activations;
    uncounted.insert(uncounted.end(), other.uncounted.begin(), other.uncounted.end());
    return *this;
  }
};

/// Shape of one image or feature map.
struct ImageShape {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// The shape after a stride: both sides divided, rounded up.
inline ImageShape strided(const ImageShape& shape, std::int64_t stride) {
  return {shape.channels, (shape.height + stride - 1) / stride, (shape.width + stride - 1) / stride};
}

inline std::int64_t numbers_of(const ImageShape& shape) { return shape.channels * shape.height * shape.width; }

/// A part of a network, or a layer within one.
struct NetworkPart {
  std::string name;                   ///< begins the names of its state within the part around it: "cells.3", "_ops.5"
  std::string kind;                   ///< "reduce", "sep_conv_3x3 0 -> 2"
  ImageShape output;                  ///< for one sample; text: the width as channels
  Cost own{};                         ///< of a part without layers
  std::vector<NetworkPart> layers{};  ///< in order
  bool training_only = false;         ///< runs in training alone, as the auxiliary head does

  Cost cost() const {
    Cost sum = own;
    for (const NetworkPart& layer : layers) sum += layer.cost();
    return sum;
  }
};

/// Images: input [N, C, H, W] in the network's type, target int64 [N]. Text: int64 [time, N] both.
struct Batch {
  at::Tensor input;
  at::Tensor target;
};

/// Hidden state that a recurrent network carries from batch to batch; empty for images.
using RecurrentState = std::vector<at::Tensor>;

/// The relaxed alphas: one [edges, operations] tensor for every cell of the network; empty for discrete networks.
using EdgeWeights = std::vector<at::Tensor>;

struct Pass : Forward {
  double drop_path = 0;                      ///< probability of dropping a path of a discrete network
  bool penalties = false;                    ///< the loss has the network's own penalties on activations
  std::vector<at::Tensor>* trace = nullptr;  ///< where given, receives the outputs of stem and cells in order
};

struct Outcome {
  at::Tensor loss;       ///< scalar; what training differentiates (with auxiliary loss where there is one)
  at::Tensor output;     ///< logits [N, classes]; text: [time, N, vocabulary], and only where a trace is asked for
  RecurrentState next;   ///< state after the batch
  at::Tensor penalty{};  ///< the part of the loss that Pass::penalties asked for; undefined for none
};

/// One kind of cell as a directed acyclic graph. Edges are in the order of the rows of its alphas.
struct CellTopology {
  struct Edge {
    int from = 0;
    int to = 0;
  };
  std::string name;                     ///< "normal", "reduce", "recurrent"
  int inputs = 2;                       ///< nodes 0 .. inputs - 1
  int nodes = 4;                        ///< intermediate nodes, numbered on from `inputs`
  std::vector<Edge> edges;              ///< ascending in `to`, then in `from`
  std::vector<std::string> operations;  ///< candidates of every edge, in the order of the columns of its alphas
  std::vector<int> concat;              ///< nodes that make the cell's output
};

/// An alpha tensor of a supernet: [edges, operations], or [rows, edges, operations] when cells have rows of their own.
struct AlphaDeclaration {
  std::string name;  ///< "alphas_normal"
  CellTopology topology;
  std::vector<int> cells;  ///< the cells of the network that it drives
  bool per_cell = false;
  std::vector<int> rows{};  ///< per cell: the row of each of `cells`, which may share one; empty: a row each, in order
  std::optional<std::vector<int>> reductions{};  ///< per cell: those of `cells` that halve the resolution, where known
  at::Tensor start{};  ///< values around which a search starts: those of the space's baseline; undefined: zeros

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

/// A network as a function of edge weights, batch, state and key; its weights are held in place. A supernet declares
/// alphas; a discrete network has none. One thread at a time.
class Network {
 public:
  virtual ~Network() = default;
  /// Parameters and buffers under their published names, in published order; a tied one stands there under each name.
  virtual const std::vector<StateEntry>& state() const = 0;
  virtual const std::vector<AlphaDeclaration>& alphas() const = 0;
  virtual Outcome loss(const EdgeWeights& edges, const Batch& batch, const RecurrentState& state, const Pass& pass) = 0;
  /// From input to output, in published order.
  virtual const std::vector<NetworkPart>& parts() const = 0;

  /// Without what runs in training only.
  Cost cost() const { return cost_of(false); }
  /// Parameters of what runs in training only; 0 where nothing does.
  std::int64_t auxiliary_parameters() const { return cost_of(true).parameters; }

 protected:
  Network() = default;

 private:
  Cost cost_of(bool training_only) const {
    Cost sum;
    for (const NetworkPart& part : parts())
      if (part.training_only == training_only) sum += part.cost();
    return sum;
  }
};

}  // namespace mixop
