#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mixop/genotype.hpp"
#include "mixop/graph.hpp"
#include "mixop/relaxed.hpp"
#include "mixop/slots.hpp"

namespace mixop {

/// Where a search stands.
struct SearchPosition {
  std::int64_t epoch = 0;   ///< counted from 0
  std::int64_t epochs = 1;  ///< planned
  std::int64_t step = 0;    ///< steps done since the start; 0 where a genotype is derived
};

using NamedTensors = std::map<std::string, at::Tensor>;

/// An alpha set of a search and what its operations cost, in the order of the set's tensor and summed over the cells that
/// it drives.
struct SearchedSet {
  AlphaSet set;
  std::vector<double> multiply_adds;  ///< of one sample; recurrent: of one word
  std::vector<double> parameters;
};

/// What all parts of a strategy share. A part is constructible from `const Options&` and derives from one of the
/// interfaces below, which stands in the slot that it names.
class StrategyPart {
 public:
  virtual ~StrategyPart() = default;
  /// Called once before anything else is asked for, with all sets of the search: their names, edges, candidates, costs.
  virtual void begin(const std::vector<SearchedSet>&) {}
  /// All that the part must find again for an exact resume.
  virtual NamedTensors save() const { return {}; }
  virtual void load(const NamedTensors&) {}
  /// What it has measured of the epoch that ended last, by name: archived among the epoch's metrics. Asked for once an
  /// epoch, after the stopper has seen it. Finite numbers, of the same names after every epoch, that no other part has.
  virtual std::map<std::string, double> measured() const { return {}; }

  /// "stopper 'acme.x'": what messages call it. The host writes it.
  std::string called;

 protected:
  StrategyPart() = default;
};

/// What relaxed alphas are for.
enum class Phase {
  train,     ///< a pass of a search's step
  evaluate,  ///< a pass that measures: no noise
  derive     ///< a genotype is read out of them: no noise
};

/// How one alpha set is relaxed.
struct RelaxationContext {
  SearchPosition position;  ///< in Phase::derive that of the epoch that ended; of the first one at a search's start
  Phase phase = Phase::train;
  /// For random draws (mixop/draws.hpp): another one for every set and step, the same for all passes of a step.
  std::uint64_t key = 0;
  /// Whether operations have been dropped: their alphas are -infinity, and their weights become 0 whatever they are. Every
  /// edge has at least one other alpha.
  bool some_dropped = false;
};

/// Turns the alphas of one set into weights of its operations.
class Relaxation : public StrategyPart {
 public:
  using Interface = Relaxation;
  static constexpr const StrategySlot& slot = slot_named("relaxation");
  /// Of alphas [..., edges, operations]: weights of that shape, differentiable, and where it wants, the operations that
  /// are computed. A function of its arguments, and without draws unless the phase is train.
  virtual Relaxed relax(const at::Tensor& alphas, const RelaxationContext& how) const = 0;
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
/// Losses, norms and coefficients are 0-dim tensors on the problem's device. Hypergradients compute with them, without
/// reading them, and ask the problem for gradients and norms, so that they run as they are over several processes.
class BilevelProblem {
 public:
  virtual ~BilevelProblem() = default;
  /// The live tensors: in-place changes are seen by the losses.
  virtual const std::vector<at::Tensor>& weights() const = 0;
  virtual const std::vector<at::Tensor>& alphas() const = 0;
  /// Positions in weights() of those that the network has under more than one name, such as a decoder's that is the
  /// embedding's.
  virtual const std::vector<std::size_t>& tied_weights() const = 0;
  /// The relaxed alphas, one for each of alphas(); with a graph where the leaves include them.
  virtual std::vector<Relaxed> edge_weights(Wrt leaves) = 0;
  /// The network's loss in a training pass at edge weights that have the form of edge_weights().
  virtual at::Tensor loss(const std::vector<Relaxed>& edge_weights, const LossPass& pass) = 0;
  /// The edge weights that the smoothing takes the weights' step at, in place of these.
  virtual std::vector<Relaxed> smoothed(const std::vector<Relaxed>& edge_weights) { return edge_weights; }
  /// The regulariser's term; an undefined tensor for none.
  virtual at::Tensor alpha_term(const std::vector<Relaxed>& edge_weights) = 0;
  /// Uniform numbers in [0, 1) of the shape and type of `like`: a function of the iteration's key and `draw`.
  virtual at::Tensor uniform(const at::Tensor& like, std::uint64_t draw) = 0;
  virtual WeightStep weight_step() const = 0;

  // As the functions of mixop/gradients.hpp, which serve a problem of one process.

  /// d loss / d leaves, freeing the graph; zeros for leaves that the loss does not reach.
  virtual std::vector<at::Tensor> gradients(const at::Tensor& loss, const std::vector<at::Tensor>& leaves);
  /// The norm of gradients() or tensors of their form as one vector.
  virtual at::Tensor norm(const std::vector<at::Tensor>& tensors);
  /// Scales in place to a norm of at most `limit`, 0 for none; returns limit / (norm before + 1e-6), or 1 for no limit.
  virtual at::Tensor clip(const std::vector<at::Tensor>& tensors, double limit);

  /// A training pass on the training batch.
  at::Tensor train_loss(Wrt leaves, bool update_statistics);
  /// A training pass on the validation batch, plus the regulariser's term.
  at::Tensor valid_loss(Wrt leaves, bool update_statistics);
  /// The loss of the weights' step: on the training batch with penalties, statistics updated, at smoothed edge weights.
  at::Tensor weight_loss(Wrt leaves = Wrt::weights);

 protected:
  BilevelProblem() = default;
};

/// What the steps of alphas and weights follow.
class Hypergradient : public StrategyPart {
 public:
  using Interface = Hypergradient;
  static constexpr const StrategySlot& slot = slot_named("hypergradient");
  /// The gradient of the validation loss with respect to the alphas, one for each alpha tensor; none at all where the
  /// alphas stay as they are. Leaves weights and alphas with their values.
  virtual std::vector<at::Tensor> alpha_gradients(BilevelProblem& problem) = 0;
  /// The gradient of the weights' step, one for each weight, asked for after the alphas' step of the same iteration. It
  /// takes weight_loss() once; here it is that loss' gradient.
  virtual std::vector<at::Tensor> weight_gradients(BilevelProblem& problem);
};

/// A term of the alphas that is added to the validation loss.
class Regulariser : public StrategyPart {
 public:
  using Interface = Regulariser;
  static constexpr const StrategySlot& slot = slot_named("regulariser");
  /// 0-dim, or an undefined tensor for none.
  virtual at::Tensor term(const std::vector<at::Tensor>& alphas, const std::vector<Relaxed>& relaxed,
                          const SearchPosition& at) const = 0;
};

/// Perturbs the edge weights of the weights' step, so that the network does well around them, too.
class Smoothing : public StrategyPart {
 public:
  using Interface = Smoothing;
  static constexpr const StrategySlot& slot = slot_named("smoothing");
  /// Edge weights of the form of `edge_weights`: these with something added that has no graph. Losses that it asks the
  /// problem for leave running statistics alone.
  virtual std::vector<Relaxed> smoothed(BilevelProblem& problem, const std::vector<Relaxed>& edge_weights,
                                        const SearchPosition& at) = 0;
};

/// What an edge of a search does around its choice, as data that every execution reads.
class EdgeRule : public StrategyPart {
 public:
  using Interface = EdgeRule;
  static constexpr const StrategySlot& slot = slot_named("edge_rule");
  virtual EdgeRuleData rule() const = 0;
};

/// Epochs of a search over which the weights' learning rate falls by a cosine of its own. Momenta start anew with them.
struct SearchStage {
  std::int64_t first = 0;  ///< its first epoch
  std::int64_t end = 0;    ///< the epoch behind its last one
  /// The epoch in which the network, its weights and the alphas were made anew: `first`, or that of an earlier stage. The
  /// epochs that train the weights alone (search.pretrain_epochs) are counted from it.
  std::int64_t network = 0;
  std::int64_t more_layers = 0;  ///< cells that the network has beside space.layers; it changes with `network` alone
  double rate = 1;               ///< what weights.lr is multiplied by
  friend bool operator==(const SearchStage&, const SearchStage&) = default;
};

/// What a schedule says of an epoch.
struct EpochPlan {
  /// By the name of an operation, what is added to its relaxed weight on every edge, in all passes: not where a genotype
  /// is derived.
  std::map<std::string, double> added{};
  /// Operations that take no part any more, in passes and in genotypes: of every set that begin() told, of its shape,
  /// true where one is dropped. Where all of an edge are, the edge is. Empty: none.
  std::vector<at::Tensor> dropped{};
  /// A function of the position alone; nothing: all epochs are one stage.
  std::optional<SearchStage> stage{};
};

/// What has been measured of a network.
struct NetworkScore {
  double loss = 0;
  std::optional<double> accuracy{};  ///< in percent; of images
};

/// What a schedule or a stopper sees after an epoch.
struct EpochEnd {
  SearchPosition at;  ///< its epoch counts that which ended
  double train_loss = 0;
  double valid_loss = 0;
  bool alphas_moved = true;                       ///< not in the epochs that train the weights alone
  const std::vector<AlphaSet>* alphas = nullptr;  ///< those of the search
  /// The relaxed alphas, as derivers see them.
  const std::vector<at::Tensor>* relaxed = nullptr;
  /// Makes ready the problem at the first batches of the epoch that ended, for parts that compute with it. Their losses
  /// leave running statistics alone.
  std::function<BilevelProblem&()> problem{};
  std::uint64_t key = 0;  ///< for random draws: another one after every epoch
  /// The edge weights that the epoch was measured at, a new copy.
  std::function<std::vector<Relaxed>()> edge_weights{};
  /// The network at such edge weights, on the whole validation half.
  std::function<NetworkScore(const std::vector<Relaxed>&)> measure{};
};

class Schedule : public StrategyPart {
 public:
  using Interface = Schedule;
  static constexpr const StrategySlot& slot = slot_named("schedule");
  virtual EpochPlan plan(const SearchPosition& at) const = 0;
  /// Called after every epoch, before its genotype is derived: what it decides, plan() says from then on. An exception out
  /// of `end` must pass; the host then puts the part back by load().
  virtual void decide(const EpochEnd& /*end*/) {}
};

/// What a stopper sees after an epoch.
struct EpochReport : EpochEnd {
  const Genotype* genotype = nullptr;
  const Genotype* before = nullptr;  ///< the genotype an epoch earlier
};

class Stopper : public StrategyPart {
 public:
  using Interface = Stopper;
  static constexpr const StrategySlot& slot = slot_named("stopper");
  /// Whether the search ends after this epoch, and why; empty: it goes on.
  virtual std::string reason_to_stop(const EpochReport& report) = 0;
};

/// Reads a genotype out of relaxed alphas.
class Deriver : public StrategyPart {
 public:
  using Interface = Deriver;
  static constexpr const StrategySlot& slot = slot_named("deriver");
  /// `relaxed[i]` belongs to `alphas[i]`: float32 on the CPU, of that set's shape.
  virtual Genotype derive(const std::vector<AlphaSet>& alphas, const std::vector<at::Tensor>& relaxed) const = 0;
};

}  // namespace mixop
