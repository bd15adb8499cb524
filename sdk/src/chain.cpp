#include "mixop/chain.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

namespace mixop {
namespace {

constexpr std::size_t kMean = 2, kVariance = 3, kCount = 4;

std::array<std::int32_t, 2> narrow(const Pair& pair) {
  return {static_cast<std::int32_t>(pair[0]), static_cast<std::int32_t>(pair[1])};
}

void assign(std::int32_t (&to)[2], const Pair& from) {
  to[0] = narrow(from)[0];
  to[1] = narrow(from)[1];
}

std::array<std::int64_t, 2> wide(const std::int32_t (&pair)[2]) { return {pair[0], pair[1]}; }

/// PyTorch's default for convolutions and linear layers: kaiming uniform with a = sqrt(5).
at::Tensor fan_in_uniform(at::IntArrayRef sizes, std::int64_t fan_in) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  at::Tensor tensor = at::empty(sizes).uniform_(-bound, bound);
  return tensor.set_requires_grad(true);
}

std::int64_t window(std::int64_t size, const MixopStage& stage, int axis) {
  const std::int64_t reach = stage.dilation[axis] * (stage.kernel[axis] - 1) + 1;
  return (size + 2 * stage.padding[axis] - reach) / stage.stride[axis] + 1;
}

std::int64_t halved(std::int64_t size) { return (size + 1) / 2; }

at::Tensor factorized_reduce(const at::Tensor& x, const at::Tensor& first, const at::Tensor& second) {
  at::Tensor shifted = x.slice(2, 1).slice(3, 1);
  const std::int64_t odd_rows = x.size(2) % 2, odd_columns = x.size(3) % 2;
  if (odd_rows != 0 || odd_columns != 0) shifted = at::constant_pad_nd(shifted, {0, odd_columns, 0, odd_rows});
  return at::cat({at::conv2d(x, first, {}, 2), at::conv2d(shifted, second, {}, 2)}, 1);
}

/// The slots of a stage's state that must be there.
std::vector<std::size_t> required_state(std::int32_t kind) {
  switch (kind) {
    case MIXOP_STAGE_CONV:
    case MIXOP_STAGE_LINEAR:
      return {0};
    case MIXOP_STAGE_FACTORIZED_REDUCE:
      return {0, 1};
    case MIXOP_STAGE_BATCH_NORM:
      return {kMean, kVariance};
    default:
      return {};
  }
}

/// Whether the stage's output may be overwritten: nothing keeps it for a backward pass.
bool output_is_free(std::int32_t kind) {
  return kind == MIXOP_STAGE_CONV || kind == MIXOP_STAGE_BATCH_NORM || kind == MIXOP_STAGE_FACTORIZED_REDUCE;
}

}  // namespace

Chain::Chain(std::vector<MixopStage> structure, std::vector<StateEntry> state)
    : stages_(std::move(structure)), state_(std::move(state)) {
  const auto broken = [](const std::string& what) {
    throw Error(ErrorCode::plugin, "an operator's structure " + what);
  };
  for (const MixopStage& stage : stages_) {
    if (stage.kind < MIXOP_STAGE_ZERO || stage.kind > MIXOP_STAGE_GLOBAL_AVG_POOL)
      broken("has a stage of unknown kind " + std::to_string(stage.kind));
    for (const std::int32_t index : stage.state)
      if (index < -1 || index >= static_cast<std::int32_t>(state_.size()))
        broken("names tensor " + std::to_string(index) + " of a state of " + std::to_string(state_.size()));
    for (const std::size_t slot : required_state(stage.kind))
      if (stage.state[slot] < 0) broken("has a stage of kind " + std::to_string(stage.kind) + " that lacks a tensor");
  }
}

Chain& Chain::then(const Chain& other) {
  const auto offset = static_cast<std::int32_t>(state_.size());
  for (MixopStage stage : other.stages_) {
    for (std::int32_t& index : stage.state)
      if (index >= 0) index += offset;
    stages_.push_back(stage);
  }
  state_.insert(state_.end(), other.state_.begin(), other.state_.end());
  return *this;
}

MixopStage& Chain::add(std::int32_t kind) {
  MixopStage stage{};
  stage.size = sizeof stage;
  stage.kind = kind;
  stage.groups = 1;
  for (auto* pair : {&stage.kernel, &stage.stride, &stage.dilation}) (*pair)[0] = (*pair)[1] = 1;
  for (auto& index : stage.state) index = -1;
  return stages_.emplace_back(stage);
}

Chain& Chain::name(std::string stage) {
  next_name_ = std::move(stage);
  return *this;
}

std::string Chain::stage_name() {
  const std::string own = next_name_.empty() ? std::to_string(stages_.size() - 1) : std::exchange(next_name_, "");
  return prefix_ + own;
}

int Chain::add_state(const std::string& name, at::Tensor tensor, StateKind kind) {
  state_.push_back({name, std::move(tensor), kind});
  return static_cast<int>(state_.size()) - 1;
}

Chain& Chain::zero(std::int64_t stride) {
  assign(add(MIXOP_STAGE_ZERO).stride, {stride, stride});
  return *this;
}

Chain& Chain::identity() { return add(MIXOP_STAGE_IDENTITY), *this; }
Chain& Chain::relu() { return add(MIXOP_STAGE_RELU), *this; }
Chain& Chain::tanh() { return add(MIXOP_STAGE_TANH), *this; }
Chain& Chain::sigmoid() { return add(MIXOP_STAGE_SIGMOID), *this; }
Chain& Chain::global_avg_pool() { return add(MIXOP_STAGE_GLOBAL_AVG_POOL), *this; }

Chain& Chain::conv(const ConvSpec& spec) {
  MixopStage& stage = add(MIXOP_STAGE_CONV);
  stage.in_channels = static_cast<std::int32_t>(spec.in);
  stage.out_channels = static_cast<std::int32_t>(spec.out);
  stage.groups = static_cast<std::int32_t>(spec.groups);
  assign(stage.kernel, spec.kernel);
  assign(stage.stride, spec.stride);
  assign(stage.padding, spec.padding);
  assign(stage.dilation, spec.dilation);
  const std::int64_t in = spec.in / spec.groups;
  stage.state[0] =
      add_state(stage_name() + ".weight",
                fan_in_uniform({spec.out, in, spec.kernel[0], spec.kernel[1]}, in * spec.kernel[0] * spec.kernel[1]),
                StateKind::parameter);
  return *this;
}

Chain& Chain::batch_norm(std::int64_t channels, bool affine) {
  MixopStage& stage = add(MIXOP_STAGE_BATCH_NORM);
  stage.in_channels = stage.out_channels = static_cast<std::int32_t>(channels);
  stage.epsilon = 1e-5;
  stage.momentum = 0.1;
  const std::string name = stage_name();
  if (affine) {
    stage.state[0] = add_state(name + ".weight", at::ones({channels}).set_requires_grad(true), StateKind::parameter);
    stage.state[1] = add_state(name + ".bias", at::zeros({channels}).set_requires_grad(true), StateKind::parameter);
  }
  stage.state[kMean] = add_state(name + ".running_mean", at::zeros({channels}), StateKind::buffer);
  stage.state[kVariance] = add_state(name + ".running_var", at::ones({channels}), StateKind::buffer);
  stage.state[kCount] = add_state(name + ".num_batches_tracked", at::zeros({}, at::kLong), StateKind::buffer);
  return *this;
}

Chain& Chain::max_pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  MixopStage& stage = add(MIXOP_STAGE_MAX_POOL);
  assign(stage.kernel, {kernel, kernel});
  assign(stage.stride, {stride, stride});
  assign(stage.padding, {padding, padding});
  return *this;
}

Chain& Chain::avg_pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  return avg_pool(Pair{kernel, kernel}, Pair{stride, stride}, Pair{padding, padding});
}

Chain& Chain::avg_pool(const Pair& kernel, const Pair& stride, const Pair& padding) {
  MixopStage& stage = add(MIXOP_STAGE_AVG_POOL);
  assign(stage.kernel, kernel);
  assign(stage.stride, stride);
  assign(stage.padding, padding);
  return *this;
}

Chain& Chain::factorized_reduce(std::int64_t in, std::int64_t out) {
  MixopStage& stage = add(MIXOP_STAGE_FACTORIZED_REDUCE);
  stage.in_channels = static_cast<std::int32_t>(in);
  stage.out_channels = static_cast<std::int32_t>(out);
  assign(stage.stride, {2, 2});
  stage.state[0] = add_state(prefix_ + "conv_1.weight", fan_in_uniform({out / 2, in, 1, 1}, in), StateKind::parameter);
  stage.state[1] =
      add_state(prefix_ + "conv_2.weight", fan_in_uniform({out - out / 2, in, 1, 1}, in), StateKind::parameter);
  return *this;
}

Chain& Chain::linear(std::int64_t in, std::int64_t out) {
  MixopStage& stage = add(MIXOP_STAGE_LINEAR);
  stage.in_channels = static_cast<std::int32_t>(in);
  stage.out_channels = static_cast<std::int32_t>(out);
  const std::string name = stage_name();
  stage.state[0] = add_state(name + ".weight", fan_in_uniform({out, in}, in), StateKind::parameter);
  stage.state[1] = add_state(name + ".bias", fan_in_uniform({out}, in), StateKind::parameter);
  return *this;
}

at::Tensor Chain::batch_norm(const MixopStage& stage, const at::Tensor& x, const Forward& how) const {
  if (how.training) require_batch_statistics(x);
  const bool update = how.training && how.update_statistics;
  if (update && stage.state[kCount] >= 0) tensor(stage.state[kCount]).add_(1);
  const bool running = update || !how.training;
  return at::batch_norm(x, tensor(stage.state[0]), tensor(stage.state[1]),
                        running ? tensor(stage.state[kMean]) : at::Tensor(),
                        running ? tensor(stage.state[kVariance]) : at::Tensor(), how.training, stage.momentum,
                        stage.epsilon, /*cudnn_enabled=*/true);
}

at::Tensor Chain::run(const MixopStage& stage, const at::Tensor& x, const Forward& how) const {
  const auto kernel = wide(stage.kernel), stride = wide(stage.stride), padding = wide(stage.padding);
  switch (stage.kind) {
    case MIXOP_STAGE_ZERO:
      if (stride[0] == 1 && stride[1] == 1) return x.mul(0.0);
      return x.slice(2, 0, std::nullopt, stride[0]).slice(3, 0, std::nullopt, stride[1]).mul(0.0);
    case MIXOP_STAGE_IDENTITY:
      return x;
    case MIXOP_STAGE_RELU:
      return at::relu(x);
    case MIXOP_STAGE_TANH:
      return at::tanh(x);
    case MIXOP_STAGE_SIGMOID:
      return at::sigmoid(x);
    case MIXOP_STAGE_CONV:
      return at::conv2d(x, tensor(stage.state[0]), tensor(stage.state[1]), stride, padding, wide(stage.dilation),
                        stage.groups);
    case MIXOP_STAGE_BATCH_NORM:
      return batch_norm(stage, x, how);
    case MIXOP_STAGE_MAX_POOL:
      return at::max_pool2d(x, kernel, stride, padding);
    case MIXOP_STAGE_AVG_POOL:
      return at::avg_pool2d(x, kernel, stride, padding, /*ceil_mode=*/false, /*count_include_pad=*/false);
    case MIXOP_STAGE_GLOBAL_AVG_POOL:
      return at::adaptive_avg_pool2d(x, {1, 1});
    case MIXOP_STAGE_FACTORIZED_REDUCE:
      return mixop::factorized_reduce(x, tensor(stage.state[0]), tensor(stage.state[1]));
    case MIXOP_STAGE_LINEAR:
      return at::linear(x.flatten(1), tensor(stage.state[0]), tensor(stage.state[1]));
    default:
      throw Error(ErrorCode::plugin, "a chain has no stage of kind " + std::to_string(stage.kind));
  }
}

bool Chain::in_place(std::size_t i, std::size_t first) const {
  return i > first && stages_[i].kind == MIXOP_STAGE_RELU && output_is_free(stages_[i - 1].kind);
}

at::Tensor Chain::forward(at::Tensor x, const Forward& how, std::size_t first) const {
  for (std::size_t i = first; i < stages_.size(); ++i) {
    x = in_place(i, first) ? at::relu_(x) : run(stages_[i], x, how);
  }
  return x;
}

ImageShape Chain::measure(ImageShape shape, Cost& cost) const {
  for (const StateEntry& entry : state_)
    if (entry.kind == StateKind::parameter) cost.parameters += entry.tensor.numel();
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const MixopStage& stage = stages_[i];
    switch (stage.kind) {
      case MIXOP_STAGE_ZERO:
        shape.height = (shape.height + stage.stride[0] - 1) / stage.stride[0];
        shape.width = (shape.width + stage.stride[1] - 1) / stage.stride[1];
        break;
      case MIXOP_STAGE_CONV:
        shape = {stage.out_channels, window(shape.height, stage, 0), window(shape.width, stage, 1)};
        cost.multiply_adds += shape.height * shape.width * stage.out_channels * (stage.in_channels / stage.groups) *
                              stage.kernel[0] * stage.kernel[1];
        break;
      case MIXOP_STAGE_MAX_POOL:
      case MIXOP_STAGE_AVG_POOL:
        shape = {shape.channels, window(shape.height, stage, 0), window(shape.width, stage, 1)};
        break;
      case MIXOP_STAGE_GLOBAL_AVG_POOL:
        shape.height = shape.width = 1;
        break;
      case MIXOP_STAGE_FACTORIZED_REDUCE:
        shape = {stage.out_channels, halved(shape.height), halved(shape.width)};
        cost.multiply_adds += shape.height * shape.width * stage.out_channels * stage.in_channels;
        break;
      case MIXOP_STAGE_LINEAR:
        shape = {stage.out_channels, 1, 1};
        cost.multiply_adds += static_cast<std::int64_t>(stage.in_channels) * stage.out_channels;
        break;
      default:
        break;
    }
    if (stage.kind != MIXOP_STAGE_IDENTITY && !in_place(i, 0)) cost.activations += numbers_of(shape);
  }
  return shape;
}

void require_batch_statistics(const at::Tensor& x) {
  if (x.numel() != x.size(1)) return;
  throw Error(ErrorCode::usage,
              "a batch norm in training needs more than one value for each channel, found one: a 1x1 map of one image, "
              "or one column of text; use another batch size (the last batch of an epoch holds what is left over) or "
              "larger images");
}

bool is_only(const std::vector<MixopStage>& structure, int kind) {
  return structure.size() == 1 && structure.front().kind == kind;
}

Chain relu_conv_norm(const std::string& prefix, const ConvSpec& spec, bool affine) {
  Chain chain(prefix + "op.");
  chain.relu().conv(spec).batch_norm(spec.out, affine);
  return chain;
}

Chain relu_reduce_norm(const std::string& prefix, std::int64_t in, std::int64_t out, bool affine) {
  Chain chain(prefix);
  chain.relu().factorized_reduce(in, out).name("bn").batch_norm(out, affine);
  return chain;
}

bool ChainOperator::cost(const ImageShape& shape, Cost& cost) {
  chain_.measure(shape, cost);
  return true;
}

}  // namespace mixop
