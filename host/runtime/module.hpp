#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "mixop/operator.hpp"
#include "mixop/structure.hpp"

namespace mixop {

/// What tensors are made for.
struct Target {
  at::Device device = at::kCPU;
  at::ScalarType type = at::kFloat;
};

/// A structure with its tensors, run stage by stage. Weights start as PyTorch's default: uniform in +-1/sqrt(fan in),
/// drawn on the CPU in float32, so that they do not depend on the target.
class Module {
 public:
  Module() = default;
  explicit Module(const Structure& structure, const Target& target = {});

  /// From value `first` on, which `x` is: 0 is the input, i the output of stage i - 1. No stage behind may read a value
  /// before it.
  at::Tensor forward(at::Tensor x, const Forward& how, std::size_t first = 0) const;
  /// Named <stage>.weight and so on, in the order of the stages.
  const std::vector<StateEntry>& state() const { return state_; }
  const std::vector<Stage>& stages() const { return stages_; }
  bool empty() const { return stages_.empty(); }
  /// The tensors of a stage: weight, bias (undefined where it has none); of a norm further mean, variance, count.
  const std::vector<at::Tensor>& tensors(std::size_t stage) const { return tensors_[stage]; }

 private:
  void make_tensors(const Stage& stage, const Target& target);
  at::Tensor run(std::size_t stage, const std::vector<at::Tensor>& values, const Forward& how) const;
  at::Tensor batch_norm(std::size_t stage, const at::Tensor& x, const Forward& how) const;

  std::vector<Stage> stages_;
  std::vector<std::vector<at::Tensor>> tensors_;  // of every stage
  std::vector<bool> in_place_;                    // of every stage: it may overwrite what it reads
  std::vector<std::size_t> last_use_;             // of every value: the last stage that reads it
  std::vector<StateEntry> state_;
};

/// Throws a usage error where a batch norm in training would see one value a channel.
void require_batch_statistics(const at::Tensor& x);

}  // namespace mixop
