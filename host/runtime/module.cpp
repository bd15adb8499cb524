#include "host/runtime/module.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace mixop {
namespace {

enum Slot : std::size_t { kWeight, kBias, kMean, kVariance, kCount, kSlots };

/// PyTorch's default for convolutions and linear layers: kaiming uniform with a = sqrt(5).
at::Tensor fan_in_uniform(at::IntArrayRef sizes, std::int64_t fan_in, const Target& target) {
  if (target.device.is_meta()) return at::empty(sizes, at::TensorOptions(target.type).device(target.device));
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  return at::empty(sizes).uniform_(-bound, bound).to(target.device, target.type);
}

at::Tensor shift(const at::Tensor& x) {
  const std::int64_t odd_rows = x.size(2) % 2, odd_columns = x.size(3) % 2;
  const at::Tensor shifted = x.slice(2, 1).slice(3, 1);
  return odd_rows + odd_columns == 0 ? shifted : at::constant_pad_nd(shifted, {0, odd_columns, 0, odd_rows});
}

at::Tensor zero(const at::Tensor& x, const Pair& stride) {
  if (stride[0] == 1 && stride[1] == 1) return x.mul(0.0);
  return x.slice(2, 0, std::nullopt, stride[0]).slice(3, 0, std::nullopt, stride[1]).mul(0.0);
}

/// Whether the stage's output may be overwritten: nothing keeps it for a backward pass.
bool output_is_free(StageKind kind) {
  return kind == StageKind::conv || kind == StageKind::batch_norm || kind == StageKind::concat;
}

}  // namespace

Module::Module(const Structure& structure, const Target& target)
    : stages_(structure.stages()), in_place_(stages_.size()), last_use_(stages_.size() + 1, stages_.size()) {
  std::vector<int> uses(stages_.size() + 1, 0);
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    make_tensors(stages_[i], target);
    for (const int value : stages_[i].inputs) {
      ++uses[static_cast<std::size_t>(value)];
      last_use_[static_cast<std::size_t>(value)] = i;
    }
  }
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const auto value = static_cast<std::size_t>(stages_[i].inputs.front());
    in_place_[i] = stages_[i].kind == StageKind::relu && value > 0 && uses[value] == 1 &&
                   output_is_free(stages_[value - 1].kind);
  }
}

void Module::make_tensors(const Stage& stage, const Target& target) {
  std::vector<at::Tensor>& own = tensors_.emplace_back(kSlots);
  const auto options = at::TensorOptions(target.type).device(target.device);
  switch (stage.kind) {
    case StageKind::conv: {
      const std::int64_t in = stage.in / stage.groups, fan_in = in * stage.kernel[0] * stage.kernel[1];
      own[kWeight] = fan_in_uniform({stage.out, in, stage.kernel[0], stage.kernel[1]}, fan_in, target);
      if (stage.bias) own[kBias] = fan_in_uniform({stage.out}, fan_in, target);
      break;
    }
    case StageKind::linear:
      own[kWeight] = fan_in_uniform({stage.out, stage.in}, stage.in, target);
      if (stage.bias) own[kBias] = fan_in_uniform({stage.out}, stage.in, target);
      break;
    case StageKind::batch_norm:
      if (stage.affine) own[kWeight] = at::ones({stage.out}, options);
      if (stage.affine) own[kBias] = at::zeros({stage.out}, options);
      own[kMean] = at::zeros({stage.out}, options);
      own[kVariance] = at::ones({stage.out}, options);
      own[kCount] = at::zeros({}, options.dtype(at::kLong));
      break;
    default:
      break;
  }
  constexpr const char* kNames[] = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"};
  const std::string prefix = stage.name.empty() ? "" : stage.name + ".";
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (!own[slot].defined()) continue;
    const bool parameter = slot == kWeight || slot == kBias;
    if (parameter) own[slot].set_requires_grad(true);
    state_.push_back({prefix + kNames[slot], own[slot], parameter ? StateKind::parameter : StateKind::buffer});
  }
}

at::Tensor Module::batch_norm(std::size_t i, const at::Tensor& x, const Forward& how) const {
  const std::vector<at::Tensor>& own = tensors_[i];
  if (how.training) require_batch_statistics(x);
  const bool update = how.training && how.update_statistics;
  if (update) at::Tensor(own[kCount]).add_(1);
  const bool running = update || !how.training;
  return at::batch_norm(x, own[kWeight], own[kBias], running ? own[kMean] : at::Tensor(),
                        running ? own[kVariance] : at::Tensor(), how.training, stages_[i].momentum, stages_[i].epsilon,
                        /*cudnn_enabled=*/true);
}

at::Tensor Module::run(std::size_t i, const std::vector<at::Tensor>& values, const Forward& how) const {
  const Stage& stage = stages_[i];
  const auto value = [&](std::size_t input) { return values[static_cast<std::size_t>(stage.inputs[input])]; };
  const at::Tensor x = value(0);
  switch (stage.kind) {
    case StageKind::zero:
      return zero(x, stage.stride);
    case StageKind::identity:
      return x;
    case StageKind::relu:
      return at::relu(x);
    case StageKind::tanh:
      return at::tanh(x);
    case StageKind::sigmoid:
      return at::sigmoid(x);
    case StageKind::conv:
      return at::conv2d(x, tensors_[i][kWeight], tensors_[i][kBias], stage.stride, stage.padding, stage.dilation,
                        stage.groups);
    case StageKind::batch_norm:
      return batch_norm(i, x, how);
    case StageKind::max_pool:
      return at::max_pool2d(x, stage.kernel, stage.stride, stage.padding);
    case StageKind::avg_pool:
      return at::avg_pool2d(x, stage.kernel, stage.stride, stage.padding, /*ceil_mode=*/false,
                            /*count_include_pad=*/false);
    case StageKind::global_avg_pool:
      return at::adaptive_avg_pool2d(x, {1, 1});
    case StageKind::linear:
      return at::linear(x.flatten(1), tensors_[i][kWeight], tensors_[i][kBias]);
    case StageKind::shift:
      return shift(x);
    case StageKind::add:
      return x.add(value(1));
    case StageKind::multiply:
      return x.mul(value(1));
    case StageKind::shuffle:
      return at::channel_shuffle(x, stage.groups);
    case StageKind::concat: {
      std::vector<at::Tensor> parts;
      for (std::size_t input = 0; input < stage.inputs.size(); ++input) parts.push_back(value(input));
      return at::cat(parts, 1);
    }
  }
  throw Error(ErrorCode::plugin, "a structure has no stage of kind " + std::to_string(static_cast<int>(stage.kind)));
}

at::Tensor Module::forward(at::Tensor x, const Forward& how, std::size_t first) const {
  std::vector<at::Tensor> values(stages_.size() + 1);
  values[first] = std::move(x);
  for (std::size_t i = first; i < stages_.size(); ++i) {
    const auto read = static_cast<std::size_t>(stages_[i].inputs.front());
    values[i + 1] = in_place_[i] && read > first ? at::relu_(values[read]) : run(i, values, how);
    for (const int value : stages_[i].inputs)
      if (last_use_[static_cast<std::size_t>(value)] == i) values[static_cast<std::size_t>(value)].reset();
  }
  return values.back();
}

void require_batch_statistics(const at::Tensor& x) {
  if (x.numel() != x.size(1)) return;
  throw Error(ErrorCode::usage,
              "a batch norm in training needs more than one value for each channel, found one: a 1x1 map of one image, "
              "or one column of text; use another batch size (the last batch of an epoch holds what is left over) or "
              "larger images");
}

}  // namespace mixop
