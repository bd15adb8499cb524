#pragma once

#include <cstdint>
#include <vector>

#include "host/search/optimizers.hpp"
#include "mixop/network.hpp"
#include "mixop/strategy.hpp"

namespace mixop {

/// Parameters of a network that training changes, in published order; one that has several names comes once.
std::vector<at::Tensor> parameters_of(const Network& network);

/// Positions in parameters_of() of those that have several names.
std::vector<std::size_t> tied_parameters(const Network& network);

/// Moves a network's state to a type and device in place: operators see their own tensors change.
void convert(const Network& network, at::ScalarType type, at::Device device);

/// The edge weights of every cell: shared alphas are handed to each cell that they drive.
EdgeWeights expand(const std::vector<AlphaDeclaration>& declarations, const std::vector<at::Tensor>& relaxed);

/// How many rows of `output` [N, classes] have their largest entry at `target` [N].
std::int64_t count_correct(const at::Tensor& output, const at::Tensor& target);

/// The bilevel problem of one search: set the step, then ask for losses.
class SearchProblem final : public BilevelProblem {
 public:
  SearchProblem(Network& network, std::vector<at::Tensor> alphas, const Relaxation& relaxation,
                const Regulariser& regulariser, const Sgd& optimizer);

  /// One iteration: both batches, where the search stands, the key of its random draws, and the inner step's rate and
  /// clip.
  void set_step(Batch train, Batch valid, const SearchPosition& at, std::uint64_t key, double rate, double clip);

  const std::vector<at::Tensor>& weights() const override { return weights_; }
  const std::vector<at::Tensor>& alphas() const override { return alphas_; }
  const std::vector<std::size_t>& tied_weights() const override { return tied_; }
  at::Tensor train_loss(Wrt leaves, bool update_statistics) override;
  at::Tensor valid_loss(Wrt leaves, bool update_statistics) override;
  WeightStep weight_step() const override;

  /// The output of the last training pass on the training batch.
  const at::Tensor& train_output() const { return train_output_; }
  const at::Tensor& train_target() const { return train_.target; }
  /// A pass in evaluation mode that records nothing.
  Outcome evaluate(const Batch& batch, const SearchPosition& at, std::uint64_t key);

 private:
  std::vector<at::Tensor> relaxed() const;
  Outcome run(const Batch& batch, const std::vector<at::Tensor>& relaxed, Wrt leaves, bool update_statistics);

  Network& network_;
  std::vector<at::Tensor> weights_, alphas_;
  std::vector<std::size_t> tied_;
  const Relaxation& relaxation_;
  const Regulariser& regulariser_;
  const Sgd& optimizer_;
  Batch train_, valid_;
  SearchPosition at_;
  std::uint64_t key_ = 0;
  double rate_ = 0, clip_ = 0;
  at::Tensor train_output_;
};

}  // namespace mixop
