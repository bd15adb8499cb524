#pragma once

#include <cstdint>
#include <vector>

#include "host/runtime/network.hpp"
#include "host/search/composition.hpp"
#include "host/search/optimizers.hpp"
#include "mixop/strategy.hpp"

namespace mixop {

/// The network's state with each tensor once, under its first name.
std::vector<StateEntry> distinct_state(const Network& network);

/// Parameters of a network that training changes, in published order; one that has several names comes once.
std::vector<at::Tensor> parameters_of(const Network& network);

/// Positions in parameters_of() of those that have several names.
std::vector<std::size_t> tied_parameters(const Network& network);

/// What one iteration works on.
struct SearchStep {
  Batch train, valid;
  SearchPosition at;
  std::uint64_t key = 0;  ///< of its random draws
  double rate = 0;        ///< of the inner step
  double clip = 0;        ///< largest norm of its gradient; 0: none
};

/// The hidden states that the training and the validation stream carry from step to step; empty at a stream's start and
/// for networks without state.
struct StreamStates {
  RecurrentState train, valid;
};

/// The bilevel problem of one search: set the step, let a hypergradient ask for losses, finish the step.
class SearchProblem final : public BilevelProblem {
 public:
  /// `strategy` is the composition in force, which is asked anew for every loss.
  SearchProblem(Network& network, std::vector<at::Tensor> alphas, const Composition& strategy, const Sgd& optimizer);

  void set_step(SearchStep step) { step_ = std::move(step); }
  /// Carries the streams on: to the states after the last passes that carry.
  void finish_step() { states_ = next_; }
  StreamStates& states() { return states_; }

  const std::vector<at::Tensor>& weights() const override { return weights_; }
  const std::vector<at::Tensor>& alphas() const override { return alphas_; }
  const std::vector<std::size_t>& tied_weights() const override { return tied_; }
  std::vector<Relaxed> edge_weights(Wrt leaves) override;
  at::Tensor loss(const std::vector<Relaxed>& edge_weights, const LossPass& pass) override;
  std::vector<Relaxed> smoothed(const std::vector<Relaxed>& edge_weights) override;
  at::Tensor alpha_term(const std::vector<Relaxed>& edge_weights) override;
  at::Tensor uniform(const at::Tensor& like, std::uint64_t draw) override;
  WeightStep weight_step() const override;
  /// Its exceptions are the network's, not those of the part that asks.
  std::vector<at::Tensor> gradients(const at::Tensor& loss, const std::vector<at::Tensor>& leaves) override;

  /// Loss, the penalties in it (undefined for none) and output of the last weight_loss().
  const at::Tensor& train_value() const { return train_value_; }
  const at::Tensor& train_penalty() const { return train_penalty_; }
  const at::Tensor& train_output() const { return train_output_; }
  const at::Tensor& train_target() const { return step_.train.target; }
  /// The edge weights of passes that measure.
  std::vector<Relaxed> measured_weights(const SearchPosition& at, std::uint64_t key);
  /// A pass in evaluation mode that records nothing.
  Outcome evaluate(const std::vector<Relaxed>& edge_weights, const Batch& batch, const RecurrentState& state);

 private:
  EpochPlan plan() const;
  std::vector<Relaxed> relaxed(Phase phase) const;

  Network& network_;
  std::vector<at::Tensor> weights_, alphas_;
  std::vector<std::size_t> tied_;
  const Composition& strategy_;
  const Sgd& optimizer_;
  SearchStep step_;
  StreamStates states_, next_;
  at::Tensor train_value_, train_penalty_, train_output_;
  std::string pass_;  // of the last loss, for messages
};

}  // namespace mixop
