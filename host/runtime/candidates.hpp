#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "host/runtime/operator_instance.hpp"

namespace mixop {

/// One candidate of a choice. An operator with code of its own runs it; any other runs its structure, the norm that
/// follows a pool included.
class Candidate {
 public:
  /// `pools_normalised`: see Choice. `edge` is how messages name where it is.
  Candidate(const OperatorCatalog& operators, const std::string& name, const OpSpec& spec, bool pools_normalised,
            const Target& target, const std::string& edge);

  at::Tensor forward(const at::Tensor& x, const Forward& how) const;
  const std::vector<StateEntry>& state() const { return state_; }
  /// What runs where the operator has no code of its own, else empty.
  const Module& module() const { return module_; }
  bool is_zero() const { return zero_; }
  bool has_own_code() const { return own_.has_value(); }

 private:
  std::optional<OperatorInstance> own_;  // where it has code of its own
  Module module_, norm_;
  bool zero_ = false;
  std::vector<StateEntry> state_;
};

/// The first stages of candidates that begin in the same way on one input: those without state, and the norm without affine
/// behind a pool. They are computed once for all of these candidates, whose statistics all see the norm.
class SharedStart {
 public:
  /// Whether the candidate begins with such a stage at all.
  static bool exists(const Candidate& candidate);
  explicit SharedStart(const Candidate& first);
  /// Takes the candidate in where it begins in the same way.
  bool admit(const Candidate& candidate);

  at::Tensor forward(const at::Tensor& x, const Forward& how) const;
  /// How many stages of its candidates forward() has run: in evaluation every candidate has a norm of its own.
  std::size_t stages(const Forward& how) const;

 private:
  void take_norm(const Module& module);
  at::Tensor normalised(const at::Tensor& x, const Forward& how) const;
  bool has_norm() const { return !means_.empty(); }

  Module stateless_;
  Stage norm_{};
  std::vector<at::Tensor> means_, variances_, counts_;  // running statistics of all candidates' norms; none without one
};

/// Sum of weights[k] * terms[k] over k; `weights` is [terms]. Gradients are computed for those of weights and terms
/// that need them.
at::Tensor weighted_sum(const at::Tensor& weights, const std::vector<at::Tensor>& terms);

}  // namespace mixop
