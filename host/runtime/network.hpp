#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "host/graph/operators.hpp"
#include "host/runtime/module.hpp"
#include "mixop/graph.hpp"
#include "mixop/operator.hpp"
#include "mixop/relaxed.hpp"

namespace mixop {

/// Images: input [N, C, H, W] in the network's type, target int64 [N]. Text: int64 [time, N] both.
struct Batch {
  at::Tensor input;
  at::Tensor target;
};

/// Hidden state that a recurrent network carries from batch to batch; empty for images.
using RecurrentState = std::vector<at::Tensor>;

struct Pass : Forward {
  double drop_path = 0;                      ///< probability of dropping a path of a discrete network
  bool penalties = false;                    ///< the loss has the network's own penalties on activations
  std::vector<at::Tensor>* trace = nullptr;  ///< where given, receives the outputs of all blocks that run, in order
};

struct Outcome {
  at::Tensor loss;       ///< scalar; what training differentiates (with auxiliary loss where there is one)
  at::Tensor output;     ///< logits [N, classes]; text: [time, N, vocabulary], and only where a trace is asked for
  RecurrentState next;   ///< state after the batch
  at::Tensor penalty{};  ///< the part of the loss that Pass::penalties asked for; undefined for none
};

/// A compiled graph: a function of relaxed alphas, batch, state and key, whose weights are held in place. One thread at
/// a time.
class Network {
 public:
  virtual ~Network() = default;
  const NetworkGraph& graph() const { return graph_; }
  const std::vector<AlphaSet>& alphas() const { return graph_.alphas; }
  /// Parameters and buffers under their published names, in published order; a tied one stands there under each name.
  virtual const std::vector<StateEntry>& state() const = 0;
  /// `relaxed` has one entry for each alpha set.
  virtual Outcome loss(const std::vector<Relaxed>& relaxed, const Batch& batch, const RecurrentState& state,
                       const Pass& pass) = 0;
  /// Gives the system the memory that is kept for further passes.
  virtual void give_back_memory() {}

 protected:
  explicit Network(NetworkGraph graph) : graph_(std::move(graph)) {}

 private:
  NetworkGraph graph_;
};

/// How a graph is run. Both compute the same to float rounding, from the same weights.
enum class Execution {
  plain,  ///< each operator's own forward, or its structure stage by stage
  fused   ///< a cell at a time, where that can be (fused/fused_block.hpp); the rest plainly
};

/// That of a config: "plain" or "fused".
Execution execution_named(const std::string& name);

/// Weights are drawn from LibTorch's generator in the order of state().
std::unique_ptr<Network> compile(const NetworkGraph& graph, const OperatorCatalog& operators, const Target& target = {},
                                 Execution execution = Execution::plain);

}  // namespace mixop
