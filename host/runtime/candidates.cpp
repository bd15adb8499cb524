#include "mixop/supernet/candidates.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstring>

#include "mixop/supernet/layers.hpp"

namespace mixop::supernet {
namespace {

constexpr std::size_t kMeanSlot = 2, kVarianceSlot = 3, kCountSlot = 4;

bool is_pool(const MixopStage& stage) {
  return stage.kind == MIXOP_STAGE_MAX_POOL || stage.kind == MIXOP_STAGE_AVG_POOL;
}

bool is_stateless(const MixopStage& stage) {
  return is_pool(stage) || stage.kind == MIXOP_STAGE_RELU || stage.kind == MIXOP_STAGE_TANH ||
         stage.kind == MIXOP_STAGE_SIGMOID;
}

bool is_plain_norm(const MixopStage& stage) {
  return stage.kind == MIXOP_STAGE_BATCH_NORM && stage.state[0] < 0 && stage.state[1] < 0;
}

/// How many of the first stages have no state.
std::size_t stateless_stages(const std::vector<MixopStage>& stages) {
  const auto end = std::find_if_not(stages.begin(), stages.end(), is_stateless);
  return static_cast<std::size_t>(end - stages.begin());
}

bool norm_follows(const std::vector<MixopStage>& stages, std::size_t count) {
  return count > 0 && count < stages.size() && is_pool(stages[count - 1]) && is_plain_norm(stages[count]);
}

bool computes_alike(MixopStage one, MixopStage other) {
  std::fill(std::begin(one.state), std::end(one.state), -1);
  std::fill(std::begin(other.state), std::end(other.state), -1);
  return std::memcmp(&one, &other, sizeof one) == 0;
}

}  // namespace

Candidate::Candidate(const OperatorCatalog& operators, const std::string& name, const OpSpec& spec)
    : operation_(operators.find_operator(name, Domain::image), name, spec),
      chain_(operation_.structure(), operation_.state()) {
  const bool pool = !chain_.structure().empty() && is_pool(chain_.structure().back());
  append_state(state_, pool ? "0." : "", operation_.state());
  if (!pool) return;
  Chain norm;
  norm.name("1").batch_norm(spec.channels, false);
  chain_.then(norm);
  append_state(state_, "", norm.state());
}

at::Tensor Candidate::forward(const at::Tensor& x, const Forward& how) const {
  return chain_.structure().empty() ? operation_.forward(x, how) : chain_.forward(x, how);
}

Cost Candidate::cost(const ImageShape& input) const {
  Cost cost = operation_.cost(input);
  if (chain_.structure().empty()) return cost;
  Cost of_stages;
  chain_.measure(input, of_stages);
  cost.activations = of_stages.activations;
  return cost;
}

bool SharedStart::exists(const Candidate& candidate) { return stateless_stages(candidate.chain().structure()) > 0; }

SharedStart::SharedStart(const Candidate& first) {
  const std::vector<MixopStage>& stages = first.chain().structure();
  const auto count = static_cast<std::ptrdiff_t>(stateless_stages(stages));
  stateless_ = Chain({stages.begin(), stages.begin() + count}, {});
  if (norm_follows(stages, stateless_stages(stages))) take_norm(first.chain());
}

bool SharedStart::admit(const Candidate& candidate) {
  const std::vector<MixopStage>&own = stateless_.structure(), &others = candidate.chain().structure();
  const std::size_t count = stateless_stages(others);
  const auto end = others.begin() + static_cast<std::ptrdiff_t>(count);
  const bool norm = norm_follows(others, count);
  if (norm != has_norm() || !std::equal(own.begin(), own.end(), others.begin(), end, computes_alike)) return false;
  if (norm && !computes_alike(norm_, others[count])) return false;
  if (norm) take_norm(candidate.chain());
  return true;
}

void SharedStart::take_norm(const Chain& chain) {
  norm_ = chain.structure()[stateless_.structure().size()];
  const auto tensor = [&](std::size_t slot) {
    return chain.state()[static_cast<std::size_t>(norm_.state[slot])].tensor;
  };
  means_.push_back(tensor(kMeanSlot));
  variances_.push_back(tensor(kVarianceSlot));
  if (norm_.state[kCountSlot] >= 0) counts_.push_back(tensor(kCountSlot));
}

std::int64_t SharedStart::activations(const ImageShape& input) const {
  Cost cost;
  const ImageShape output = stateless_.measure(input, cost);
  return cost.activations + (has_norm() ? numbers_of(output) : 0);
}

std::size_t SharedStart::stages(const Forward& how) const {
  return stateless_.structure().size() + (how.training && has_norm() ? 1 : 0);
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
    if (!counts_.empty()) at::_foreach_add_(counts_, 1);
  }
  return y;
}

}  // namespace mixop::supernet
