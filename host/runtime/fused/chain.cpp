#include "host/runtime/fused/chain.hpp"

#include <utility>

namespace mixop {
namespace {

constexpr std::size_t kWeight = 0, kBias = 1, kMean = 2, kVariance = 3, kCount = 4;

Window window_of(const Stage& stage, const Pair& shift = {0, 0}) {
  return {stage.kernel, stage.stride, stage.padding, stage.dilation, shift};
}

bool is_pool(const Stage& stage) {
  return stage.kind == StageKind::max_pool || stage.kind == StageKind::avg_pool;
}

bool is_depthwise(const Stage& stage) { return stage.groups == stage.in && stage.out == stage.in && stage.in > 1; }

bool is_pointwise(const Stage& stage) {
  return stage.groups == 1 && window_of(stage) == Window{};
}

/// Reads the stages of a module, first to last, as long as each reads the one before.
class Reader {
 public:
  explicit Reader(const Module& module) : module_(module) {}

  std::optional<Chain> read() {
    while (at_ < stages().size()) {
      if (is(StageKind::identity)) {
        if (!follows()) return std::nullopt;
        ++at_;
        continue;
      }
      std::optional<Unit> unit = next();
      if (!unit) return std::nullopt;
      chain_.push_back(std::move(*unit));
    }
    return chain_;
  }

 private:
  const std::vector<Stage>& stages() const { return module_.stages(); }
  const Stage& stage() const { return stages()[at_]; }
  bool is(StageKind kind) const { return at_ < stages().size() && stage().kind == kind; }
  /// Whether the stage at hand reads the value before it and nothing else.
  bool follows() const { return stage().inputs.size() == 1 && stage().inputs.front() == static_cast<int>(at_); }

  std::optional<Unit> next() {
    Unit unit;
    if (is(StageKind::relu)) {
      if (!follows()) return std::nullopt;
      unit.relu = true;
      ++at_;
    }
    if (at_ == stages().size()) return std::nullopt;
    const bool known = take_reduction(unit) || take_pool(unit) || take_convolutions(unit);
    if (!known || !take_norm(unit)) return std::nullopt;
    return unit;
  }

  bool take_pool(Unit& unit) {
    if (!is_pool(stage()) || !follows() || stage().dilation != Pair{1, 1}) return false;
    unit.kind = is(StageKind::max_pool) ? Unit::Kind::max_pool : Unit::Kind::avg_pool;
    unit.window = window_of(stage());
    ++at_;
    return true;
  }

  bool take_convolutions(Unit& unit) {
    if (!is(StageKind::conv) || !follows() || stage().bias) return false;
    unit.in = unit.out = stage().in;
    if (is_depthwise(stage())) {
      unit.window = window_of(stage());
      unit.depthwise = module_.tensors(at_++)[kWeight];
      if (!is(StageKind::conv) || !follows() || stage().bias || !is_pointwise(stage())) return true;
    }
    if (stage().groups != 1) return false;
    unit.out = stage().out;
    unit.parts.push_back({module_.tensors(at_)[kWeight], window_of(stage())});
    ++at_;
    return true;
  }

  /// Convolution, shift, convolution, concat: the factorized reduction.
  bool take_reduction(Unit& unit) {
    if (at_ + 3 >= stages().size() || !is(StageKind::conv) || !follows()) return false;
    const Stage &one = stages()[at_], &shift = stages()[at_ + 1], &two = stages()[at_ + 2], &both = stages()[at_ + 3];
    const int from = static_cast<int>(at_);
    if (shift.kind != StageKind::shift || shift.inputs != std::vector{from} || two.kind != StageKind::conv ||
        two.inputs != std::vector{from + 2} || both.kind != StageKind::concat ||
        both.inputs != std::vector{from + 1, from + 3})
      return false;
    const Pair none{0, 0}, single{1, 1};
    for (const Stage* stage : {&one, &two})
      if (stage->groups != 1 || stage->bias || stage->padding != none || stage->kernel != single ||
          stage->stride != one.stride)
        return false;
    unit.in = one.in;
    unit.out = one.out + two.out;
    unit.parts.push_back({module_.tensors(at_)[kWeight], window_of(one)});
    unit.parts.push_back({module_.tensors(at_ + 2)[kWeight], window_of(two, {1, 1})});
    at_ += 4;
    return true;
  }

  bool take_norm(Unit& unit) {
    if (!is(StageKind::batch_norm)) return true;
    if (!follows()) return false;
    const std::vector<at::Tensor>& own = module_.tensors(at_);
    unit.norm = Norm{own[kWeight], own[kBias], {{own[kMean], own[kVariance], own[kCount]}}, stage().epsilon,
                     stage().momentum};
    ++at_;
    return true;
  }

  const Module& module_;
  std::size_t at_ = 0;
  Chain chain_;
};

}  // namespace

std::vector<Window> Unit::windows() const {
  if (window) return {*window};
  std::vector<Window> windows;
  for (const Part& part : parts) windows.push_back(part.window);
  return windows;
}

std::optional<Chain> chain_of(const Module& module) { return Reader(module).read(); }

bool computes_the_same(const Chain& a, const Chain& b) {
  if (a.size() != 1 || b.size() != 1) return false;
  const Unit &one = a.front(), &two = b.front();
  const auto is_free = [](const Unit& unit) {
    return unit.kind != Unit::Kind::convolution && !(unit.norm && unit.norm->weight.defined());
  };
  return is_free(one) && is_free(two) && one.kind == two.kind && one.relu == two.relu && one.window == two.window &&
         one.norm.has_value() == two.norm.has_value() &&
         (!one.norm || (one.norm->epsilon == two.norm->epsilon && one.norm->momentum == two.norm->momentum));
}

}  // namespace mixop
