#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "mixop/genotype.hpp"
#include "mixop/graph.hpp"

namespace mixop {

/// Where a search stands.
struct SearchPosition {
  std::int64_t epoch = 0;   ///< counted from 0
  std::int64_t epochs = 1;  ///< planned
  std::int64_t step = 0;    ///< steps done since the start
};

using NamedTensors = std::map<std::string, at::Tensor>;

/// What all parts of a strategy share. A part is constructible from `const Options&`.
class StrategyPart {
 public:
  virtual ~StrategyPart() = default;
  /// All that the part must find again for an exact resume.
  virtual NamedTensors save() const { return {}; }
  virtual void load(const NamedTensors&) {}

 protected:
  StrategyPart() = default;
};

/// Turns alphas into edge weights.
class Relaxation : public StrategyPart {
 public:
  using Interface = Relaxation;
  static constexpr const char* interface_id = "mixop.relaxation/1";
  /// [..., edges, operations] to the same shape, differentiable. Random draws are functions of `key`.
  virtual at::Tensor weights(const at::Tensor& alphas, const SearchPosition& at, std::uint64_t key) const = 0;
};

/// Which leaves a loss records a graph for.
enum class Wrt { nothing, weights, alphas, both };

/// The inner optimiser's step, as the unrolled step needs it: SGD with momentum and coupled weight decay.
struct WeightStep {
  double rate = 0;
  double momentum = 0;
  double decay = 0;
  double clip = 0;                    ///< largest gradient norm; 0: no clipping
  std::vector<at::Tensor> momenta{};  ///< one for each weight
};

/// Which half of the train records a loss is taken on.
enum class Half { train, valid };

/// How a loss is computed.
struct LossPass {
  Half half = Half::train;
  Wrt leaves = Wrt::nothing;
  bool update_statistics = false;  ///< whether batch norms' running statistics see the pass
  bool penalties = false;          ///< with the network's own penalties on activations
  bool carry = false;              ///< the recurrent state after the pass is what the stream goes on with
};

/// One iteration of the bilevel problem min_a L_valid(w*(a), a), w*(a) = argmin_w L_train(w, a), as a hypergradient
/// sees it. Every loss of one iteration uses the same two batches, the same recurrent state and the same random key.
class BilevelProblem {
 public:
  virtual ~BilevelProblem() = default;
  /// The live tensors: in-place changes are seen by the losses.
  virtual const std::vector<at::Tensor>& weights() const = 0;
  virtual const std::vector<at::Tensor>& alphas() const = 0;
  /// Positions in weights() of those that the network has under more than one name, such as a decoder's that is the
  /// embedding's.
  virtual const std::vector<std::size_t>& tied_weights() const = 0;
  /// The relaxed alphas, one tensor for each of alphas() and of its shape; with a graph where the leaves include them.
  virtual std::vector<at::Tensor> edge_weights(Wrt leaves) = 0;
  /// The network's loss in a training pass at edge weights that have the form of edge_weights().
  virtual at::Tensor loss(const std::vector<at::Tensor>& edge_weights, const LossPass& pass) = 0;
  /// The regulariser's term; an undefined tensor for none.
  virtual at::Tensor alpha_term(const std::vector<at::Tensor>& edge_weights) = 0;
  /// Uniform numbers in [0, 1) of the shape and type of `like`: a function of the iteration's key and `draw`.
  virtual at::Tensor uniform(const at::Tensor& like, std::uint64_t draw) = 0;
  virtual WeightStep weight_step() const = 0;

  /// A training pass on the training batch.
  at::Tensor train_loss(Wrt leaves, bool update_statistics);
  /// A training pass on the validation batch, plus the regulariser's term.
  at::Tensor valid_loss(Wrt leaves, bool update_statistics);
  /// The loss of the weights' step: on the training batch with penalties, statistics updated.
  at::Tensor weight_loss(Wrt leaves = Wrt::weights);

 protected:
  BilevelProblem() = default;
};

/// d loss / d leaves, freeing the graph; zeros for leaves that the loss does not reach.
std::vector<at::Tensor> gradients(const at::Tensor& loss, const std::vector<at::Tensor>& leaves);

/// Scales all gradients by the clip coefficient where that is below 1; a limit of 0 clips nothing. Returns the norm
/// before.
double clip_gradients(std::vector<at::Tensor>& gradients, double limit);

/// limit / (norm + 1e-6), as torch.nn.utils.clip_grad_norm_.
double clip_coefficient(double norm, double limit);

/// What the steps of alphas and weights follow.
class Hypergradient : public StrategyPart {
 public:
  using Interface = Hypergradient;
  static constexpr const char* interface_id = "mixop.hypergradient/1";
  /// The gradient of the validation loss with respect to the alphas, one for each alpha tensor. Leaves weights and
  /// alphas with their values.
  virtual std::vector<at::Tensor> alpha_gradients(BilevelProblem& problem) = 0;
  /// The gradient of the weights' step, one for each weight, asked for after the alphas' step of the same iteration. It
  /// takes weight_loss() once; here it is that loss' gradient.
  virtual std::vector<at::Tensor> weight_gradients(BilevelProblem& problem);
};

/// A term of the alphas that is added to the validation loss.
class Regulariser : public StrategyPart {
 public:
  using Interface = Regulariser;
  static constexpr const char* interface_id = "mixop.regulariser/1";
  /// A scalar, or an undefined tensor for none.
  virtual at::Tensor term(const std::vector<at::Tensor>& alphas, const std::vector<at::Tensor>& relaxed,
                          const SearchPosition& at) const = 0;
};

/// Changes what an edge of a supernet computes around its mixed operation.
class EdgeTransform : public StrategyPart {
 public:
  using Interface = EdgeTransform;
  using Mixed = std::function<at::Tensor(const at::Tensor&)>;
  static constexpr const char* interface_id = "mixop.edge_transform/1";
  /// Channels that the candidate operations of an edge of `channels` are built for.
  virtual std::int64_t operation_channels(std::int64_t channels) const = 0;
  /// [N, C, H, W] to [N, C, ceil(H / stride), ceil(W / stride)].
  virtual at::Tensor forward(const at::Tensor& input, std::int64_t stride, const Mixed& mixed) const = 0;
};

/// What a stopper sees after an epoch.
struct EpochReport {
  SearchPosition at;
  double train_loss = 0;
  double valid_loss = 0;
  const Genotype* genotype = nullptr;
  const Genotype* before = nullptr;                       ///< the genotype an epoch earlier
  bool alphas_moved = true;                               ///< not in the epochs that train the weights alone
  const std::vector<AlphaSet>* alphas = nullptr;  ///< those of the search
};

class Stopper : public StrategyPart {
 public:
  using Interface = Stopper;
  static constexpr const char* interface_id = "mixop.stopper/1";
  /// Whether the search ends after this epoch, and why; empty: it goes on.
  virtual std::string reason_to_stop(const EpochReport& report) = 0;
  /// What it has measured of the epoch reported last, by name: archived among the epoch's metrics. Finite numbers, of
  /// the same names after every epoch.
  virtual std::map<std::string, double> measured() const { return {}; }
};

/// Reads a genotype out of relaxed alphas.
class Deriver : public StrategyPart {
 public:
  using Interface = Deriver;
  static constexpr const char* interface_id = "mixop.deriver/1";
  /// `relaxed[i]` belongs to `alphas[i]`: float32 on the CPU, of that declaration's shape.
  virtual Genotype derive(const std::vector<AlphaSet>& alphas,
                          const std::vector<at::Tensor>& relaxed) const = 0;
};

}  // namespace mixop
