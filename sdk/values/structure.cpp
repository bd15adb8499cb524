#include "mixop/structure.hpp"

namespace mixop {

Structure Structure::of(std::vector<Stage> stages) {
  Structure structure;
  structure.stages_ = std::move(stages);
  return structure;
}

Stage& Structure::push(StageKind kind) {
  Stage stage;
  stage.kind = kind;
  const int input = std::exchange(next_input_, -1);
  stage.inputs = {input < 0 ? here() : input};
  return stages_.emplace_back(std::move(stage));
}

std::string Structure::stage_name() {
  const auto given = std::exchange(next_name_, std::nullopt);
  return prefix_ + given.value_or(std::to_string(stages_.size() - 1));
}

Structure& Structure::name(std::string stage) {
  next_name_ = std::move(stage);
  return *this;
}

Structure& Structure::from(int value) {
  next_input_ = value;
  return *this;
}

Structure& Structure::then(const Structure& other) {
  const int offset = here();
  for (Stage stage : other.stages_) {
    for (int& input : stage.inputs) input += offset;
    stages_.push_back(std::move(stage));
  }
  return *this;
}

Structure& Structure::zero(std::int64_t stride) {
  push(StageKind::zero).stride = {stride, stride};
  return *this;
}

Structure& Structure::identity() { return push(StageKind::identity), *this; }
Structure& Structure::relu() { return push(StageKind::relu), *this; }
Structure& Structure::tanh() { return push(StageKind::tanh), *this; }
Structure& Structure::sigmoid() { return push(StageKind::sigmoid), *this; }
Structure& Structure::global_avg_pool() { return push(StageKind::global_avg_pool), *this; }
Structure& Structure::shift() { return push(StageKind::shift), *this; }

Structure& Structure::conv(const ConvSpec& spec) {
  Stage& stage = push(StageKind::conv);
  stage.in = spec.in;
  stage.out = spec.out;
  stage.kernel = spec.kernel;
  stage.stride = spec.stride;
  stage.padding = spec.padding;
  stage.dilation = spec.dilation;
  stage.groups = spec.groups;
  stage.bias = spec.bias;
  stage.name = stage_name();
  return *this;
}

Structure& Structure::batch_norm(std::int64_t channels, bool affine) {
  Stage& stage = push(StageKind::batch_norm);
  stage.in = stage.out = channels;
  stage.affine = affine;
  stage.name = stage_name();
  return *this;
}

Structure& Structure::max_pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  Stage& stage = push(StageKind::max_pool);
  stage.kernel = {kernel, kernel};
  stage.stride = {stride, stride};
  stage.padding = {padding, padding};
  return *this;
}

Structure& Structure::avg_pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  return avg_pool(Pair{kernel, kernel}, Pair{stride, stride}, Pair{padding, padding});
}

Structure& Structure::avg_pool(const Pair& kernel, const Pair& stride, const Pair& padding) {
  Stage& stage = push(StageKind::avg_pool);
  stage.kernel = kernel;
  stage.stride = stride;
  stage.padding = padding;
  return *this;
}

Structure& Structure::linear(std::int64_t in, std::int64_t out) {
  Stage& stage = push(StageKind::linear);
  stage.in = in;
  stage.out = out;
  stage.bias = true;
  stage.name = stage_name();
  return *this;
}

Structure& Structure::factorized_reduce(std::int64_t in, std::int64_t out) {
  const int input = next_input_ < 0 ? here() : next_input_;
  name("conv_1").from(input).conv({.in = in, .out = out / 2, .stride = {2, 2}});
  const int first = here();
  from(input).shift().name("conv_2").conv({.in = in, .out = out - out / 2, .stride = {2, 2}});
  return concat({first, here()});
}

Structure& Structure::shuffle(std::int64_t groups) {
  push(StageKind::shuffle).groups = groups;
  return *this;
}

Structure& Structure::add(int value) {
  push(StageKind::add).inputs.push_back(value);
  return *this;
}

Structure& Structure::multiply(int value) {
  push(StageKind::multiply).inputs.push_back(value);
  return *this;
}

Structure& Structure::concat(std::vector<int> values) {
  push(StageKind::concat).inputs = std::move(values);
  return *this;
}

Structure relu_conv_norm(const std::string& prefix, const ConvSpec& spec, bool affine) {
  Structure structure(prefix + "op.");
  structure.relu().conv(spec).batch_norm(spec.out, affine);
  return structure;
}

Structure relu_reduce_norm(const std::string& prefix, std::int64_t in, std::int64_t out, bool affine) {
  Structure structure(prefix);
  structure.relu().factorized_reduce(in, out).name("bn").batch_norm(out, affine);
  return structure;
}

}  // namespace mixop
