#pragma once

#include <string>
#include <vector>

#include "mixop/options.hpp"
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace mixop::ddarts {

/// The hypergradient of D-DARTS (Heuillet, Tabia, Arioui 2023, section 3): the alphas of cell i follow
///   L_i = CE + a * zero_one(sigma_i) + b * (mean M - M_i) / mean M,  M_i = CE - CE(cell i ablated),
/// on the validation batch. A cell is a table [edges, operations] of alphas: where several cells of the network share
/// one, they are ablated together.
class CellLosses final : public Hypergradient {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(
          MIXOP_OPTION_TEXT, "mode", "paper",
          "paper: the ablation term is differentiated, each cell's alphas follow their own loss alone and the weights "
          "the training loss alone. published-code: the ablation term is a constant, and gradients pile up as in the "
          "published program."),
      option(MIXOP_OPTION_TEXT, "zero_one", "conv",
             "What drives edge weights to 0 or 1: conv, -mean (sigma - 0.5)^2, or tri, -mean |sigma - 0.5|."),
      option(MIXOP_OPTION_REAL, "zero_one_weight", "9", "Weight of the zero-one term, from 0 on."),
      option(MIXOP_OPTION_REAL, "ablation_weight", "0.7",
             "Weight of the ablation term, from 0 on; 0 leaves the passes with ablated cells out."),
  };

  explicit CellLosses(const Options& options);

  /// Running statistics see the validation pass, in the published code every pass with an ablated cell, too.
  std::vector<at::Tensor> alpha_gradients(BilevelProblem& problem) override;
  std::vector<at::Tensor> weight_gradients(BilevelProblem& problem) override;
  /// What the published code has left in the alphas' gradients.
  NamedTensors save() const override;
  void load(const NamedTensors& state) override;

 private:
  using Tensors = std::vector<at::Tensor>;

  at::Tensor zero_one(const at::Tensor& relaxed) const;
  Tensors term_gradients(BilevelProblem& problem, double scale) const;
  void add_ablation(BilevelProblem& problem, const at::Tensor& loss, const Tensors& direct, Tensors& gradients) const;
  Tensors pile_up(const BilevelProblem& problem, const Tensors& direct, const Tensors& own);
  void check_left(const Tensors& alphas);

  bool published_;
  bool squared_;
  double zero_one_weight_, ablation_weight_;
  Tensors left_;           // published code: what the alphas' gradients hold between two steps
  Tensors valid_weights_;  // published code: what the weights' gradients hold when the training gradient is added
};

}  // namespace mixop::ddarts
