#include "host/runtime/candidates.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace mixop {
namespace {

constexpr std::size_t kMean = 2, kVariance = 3, kCount = 4;

bool is_pool(const Stage& stage) {
  return stage.kind == StageKind::max_pool || stage.kind == StageKind::avg_pool;
}

bool is_stateless(const Stage& stage) {
  return is_pool(stage) || stage.kind == StageKind::relu || stage.kind == StageKind::tanh ||
         stage.kind == StageKind::sigmoid;
}

/// Whether stage `i` and all behind it read nothing that was there before stage `i - 1` ran.
bool cuts(const std::vector<Stage>& stages, std::size_t i) {
  return std::all_of(stages.begin() + static_cast<std::ptrdiff_t>(i), stages.end(), [&](const Stage& stage) {
    return std::all_of(stage.inputs.begin(), stage.inputs.end(),
                       [&](int value) { return value >= static_cast<int>(i); });
  });
}

/// How many of the first stages have no state and follow each other, with nothing behind them that reads an earlier
/// value.
std::size_t stateless_stages(const std::vector<Stage>& stages) {
  std::size_t count = 0;
  while (count < stages.size() && is_stateless(stages[count]) && cuts(stages, count + 1)) ++count;
  return count;
}

bool norm_follows(const std::vector<Stage>& stages, std::size_t count) {
  return count > 0 && count < stages.size() && is_pool(stages[count - 1]) &&
         stages[count].kind == StageKind::batch_norm && !stages[count].affine && cuts(stages, count + 1);
}

bool computes_alike(Stage one, const Stage& other) {
  one.name = other.name;
  return one == other;
}

/// A pool and its norm are "0" and "1" of a sequence.
Structure with_norm(const Structure& pool, std::int64_t channels) {
  std::vector<Stage> stages = pool.stages();
  for (Stage& stage : stages)
    if (!stage.name.empty()) stage.name = "0." + stage.name;
  return Structure::of(std::move(stages)).name("1").batch_norm(channels, /*affine=*/false);
}

}  // namespace

Candidate::Candidate(const OperatorCatalog& operators, const std::string& name, const OpSpec& spec,
                     bool pools_normalised, const Target& target, const std::string& edge) {
  const MixopOperator& table = operators.find_operator(name, Domain::image);
  const std::optional<Structure> structure = structure_of(table, name, spec);
  const bool norm = pools_normalised && structure && is_pool(structure->stages().back());
  zero_ = structure && structure->is_only(StageKind::zero);
  if (!mixop::has_own_code(table)) {
    module_ = Module(norm ? with_norm(*structure, spec.out) : *structure, target);
    state_ = module_.state();
    return;
  }
  own_.emplace(table, name, spec, target, "plugin " + operators.plugin_of(name, Domain::image) + ", " + edge);
  for (const StateEntry& entry : own_->state())
    state_.push_back({(norm ? "0." : "") + entry.name, entry.tensor, entry.kind});
  if (!norm) return;
  norm_ = Module(Structure().name("1").batch_norm(spec.out, /*affine=*/false), target);
  state_.insert(state_.end(), norm_.state().begin(), norm_.state().end());
}

at::Tensor Candidate::forward(const at::Tensor& x, const Forward& how) const {
  if (!own_) return module_.forward(x, how);
  const at::Tensor y = own_->forward(x, how);
  return norm_.empty() ? y : norm_.forward(y, how);
}

bool SharedStart::exists(const Candidate& candidate) { return stateless_stages(candidate.module().stages()) > 0; }

SharedStart::SharedStart(const Candidate& first) {
  const std::vector<Stage>& stages = first.module().stages();
  const std::size_t count = stateless_stages(stages);
  stateless_ = Module(Structure::of({stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(count)}));
  if (norm_follows(stages, count)) take_norm(first.module());
}

bool SharedStart::admit(const Candidate& candidate) {
  const std::vector<Stage>&own = stateless_.stages(), &others = candidate.module().stages();
  const std::size_t count = stateless_stages(others);
  const auto end = others.begin() + static_cast<std::ptrdiff_t>(count);
  const bool norm = norm_follows(others, count);
  if (norm != has_norm() || !std::equal(own.begin(), own.end(), others.begin(), end, computes_alike)) return false;
  if (norm && !computes_alike(norm_, others[count])) return false;
  if (norm) take_norm(candidate.module());
  return true;
}

void SharedStart::take_norm(const Module& module) {
  const std::size_t stage = stateless_.stages().size();
  norm_ = module.stages()[stage];
  means_.push_back(module.tensors(stage)[kMean]);
  variances_.push_back(module.tensors(stage)[kVariance]);
  counts_.push_back(module.tensors(stage)[kCount]);
}

std::size_t SharedStart::stages(const Forward& how) const {
  return stateless_.stages().size() + (how.training && has_norm() ? 1 : 0);
}

at::Tensor SharedStart::forward(const at::Tensor& x, const Forward& how) const {
  const at::Tensor y = stateless_.forward(x, how);
  return how.training && has_norm() ? normalised(y, how) : y;
}

at::Tensor SharedStart::normalised(const at::Tensor& x, const Forward& how) const {
  require_batch_statistics(x);
  at::Tensor mean, variance;
  if (how.update_statistics) {
    mean = at::zeros_like(means_.front());
    variance = at::zeros_like(means_.front());
  }
  // A momentum of 1 leaves the batch's own statistics in both.
  const at::Tensor y = at::batch_norm(x, {}, {}, mean, variance, /*training=*/true, /*momentum=*/1.0, norm_.epsilon,
                                      /*cudnn_enabled=*/true);
  if (how.update_statistics) {
    const at::NoGradGuard no_grad;
    at::_foreach_lerp_(means_, std::vector<at::Tensor>(means_.size(), mean), norm_.momentum);
    at::_foreach_lerp_(variances_, std::vector<at::Tensor>(variances_.size(), variance), norm_.momentum);
    at::_foreach_add_(counts_, 1);
  }
  return y;
}

}  // namespace mixop
