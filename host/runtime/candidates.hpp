#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "mixop/chain.hpp"
#include "mixop/operator_instance.hpp"

namespace mixop::supernet {

/// One candidate of an edge. With a structure it runs as a chain, the norm that follows a pool in a supernet included;
/// without one by its own forward.
class Candidate {
 public:
  /// A pool gets a batch norm without affine behind it, as every candidate of a supernet is normalised.
  Candidate(const OperatorCatalog& operators, const std::string& name, const OpSpec& spec);

  at::Tensor forward(const at::Tensor& x, const Forward& how) const;
  /// Under the names of published code: a pool and its norm are "0.…" and "1.…".
  const std::vector<StateEntry>& state() const { return state_; }
  /// With the norm's outputs.
  Cost cost(const ImageShape& input) const;
  /// Empty where the operator tells no structure.
  const Chain& chain() const { return chain_; }
  const std::string& name() const { return operation_.name(); }
  bool is_zero() const { return is_only(operation_.structure(), MIXOP_STAGE_ZERO); }

 private:
  OperatorInstance operation_;
  Chain chain_;
  std::vector<StateEntry> state_;
};

/// The first stages of candidates that begin alike on one input: those without state, and the norm without affine
/// behind a pool. They are computed once for all of these candidates, whose statistics all see the norm.
class SharedStart {
 public:
  /// Whether the candidate begins with such a stage at all.
  static bool exists(const Candidate& candidate);
  explicit SharedStart(const Candidate& first);
  /// Takes the candidate in where it begins alike.
  bool admit(const Candidate& candidate);

  at::Tensor forward(const at::Tensor& x, const Forward& how) const;
  /// Numbers that it puts out for one sample in training.
  std::int64_t activations(const ImageShape& input) const;
  /// How many stages of its candidates forward() has run: in evaluation every candidate has a norm of its own.
  std::size_t stages(const Forward& how) const;

 private:
  void take_norm(const Chain& chain);
  at::Tensor normalised(const at::Tensor& x, const Forward& how) const;

  bool has_norm() const { return !means_.empty(); }

  Chain stateless_;
  MixopStage norm_{};
  std::vector<at::Tensor> means_, variances_, counts_;  // running statistics of all candidates' norms; none without one
};

/// Sum of weights[columns[k]] * terms[k] over k. `weights` is [operations]; gradients are computed for those of weights
/// and terms that need them, and are differentiable.
at::Tensor weighted_sum(const at::Tensor& weights, const std::vector<at::Tensor>& terms,
                        const std::vector<std::int64_t>& columns);

}  // namespace mixop::supernet
