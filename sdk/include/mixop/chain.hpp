#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "mixop/network.hpp"
#include "mixop/operator.hpp"

namespace mixop {

using Pair = std::array<std::int64_t, 2>;  ///< (height, width)

struct ConvSpec {
  std::int64_t in = 0;
  std::int64_t out = 0;
  Pair kernel{1, 1};
  Pair stride{1, 1};
  Pair padding{0, 0};
  Pair dilation{1, 1};
  std::int64_t groups = 1;
};

/// A sequence of layers that knows its algebra: it runs, names its parameters as torch.nn.Sequential would
/// (`<prefix><position>.weight`), counts its cost, and tells its structure so that a supernet can fuse it with its
/// neighbours. Weights start as PyTorch's default initialisation: uniform in +-1/sqrt(fan in).
class Chain {
 public:
  /// Names begin with `prefix`: "op." gives "op.0.weight".
  explicit Chain(std::string prefix = "") : prefix_(std::move(prefix)) {}
  /// The chain that an operator's structure describes, on its live tensors. Throws a plugin error where a stage is not
  /// known or names a tensor that the state has not.
  Chain(std::vector<MixopStage> structure, std::vector<StateEntry> state);

  Chain& zero(std::int64_t stride);
  Chain& identity();
  Chain& relu();
  Chain& tanh();
  Chain& sigmoid();
  Chain& conv(const ConvSpec& spec);
  Chain& batch_norm(std::int64_t channels, bool affine);
  Chain& max_pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding);
  /// Padding is not counted in the mean.
  Chain& avg_pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding);
  Chain& avg_pool(const Pair& kernel, const Pair& stride, const Pair& padding);
  Chain& global_avg_pool();
  /// Halves the resolution: two 1x1 convolutions of stride 2 on x and on x shifted by one pixel, concatenated. Its
  /// state is named `<prefix>conv_1.weight` and `<prefix>conv_2.weight`. Odd sizes are padded with zeros at the far
  /// side.
  Chain& factorized_reduce(std::int64_t in, std::int64_t out);
  /// On the input flattened from dimension 1.
  Chain& linear(std::int64_t in, std::int64_t out);
  /// The name of the next stage in place of its position: name("bn").batch_norm(...) gives "<prefix>bn.weight".
  Chain& name(std::string stage);

  /// From stage `first` on.
  at::Tensor forward(at::Tensor x, const Forward& how, std::size_t first = 0) const;
  /// Appends the stages of another chain.
  Chain& then(const Chain& other);
  const std::vector<StateEntry>& state() const { return state_; }
  const std::vector<MixopStage>& structure() const { return stages_; }
  /// The shape after the chain; adds its cost for one sample to `cost`. What is computed in place puts out nothing.
  ImageShape measure(ImageShape shape, Cost& cost) const;

 private:
  MixopStage& add(std::int32_t kind);
  std::string stage_name();
  int add_state(const std::string& name, at::Tensor tensor, StateKind kind);
  at::Tensor tensor(int index) const {
    return index < 0 ? at::Tensor() : state_[static_cast<std::size_t>(index)].tensor;
  }
  /// Whether stage `i` overwrites its input where the chain runs from stage `first` on.
  bool in_place(std::size_t i, std::size_t first) const;
  at::Tensor run(const MixopStage& stage, const at::Tensor& x, const Forward& how) const;
  at::Tensor batch_norm(const MixopStage& stage, const at::Tensor& x, const Forward& how) const;

  std::string prefix_;
  std::string next_name_;
  std::vector<MixopStage> stages_;
  std::vector<StateEntry> state_;
};

/// Throws a usage error where a batch norm in training would see one value a channel.
void require_batch_statistics(const at::Tensor& x);

/// Whether a structure is that one stage alone.
bool is_only(const std::vector<MixopStage>& structure, int kind);

/// ReLU, convolution, batch norm: the published ReLUConvBN, named `<prefix>op.N`.
Chain relu_conv_norm(const std::string& prefix, const ConvSpec& spec, bool affine);
/// ReLU, factorized reduction, batch norm, named `<prefix>conv_1`, `conv_2`, `bn`.
Chain relu_reduce_norm(const std::string& prefix, std::int64_t in, std::int64_t out, bool affine);

/// An operator that is a chain.
class ChainOperator final : public Operator {
 public:
  explicit ChainOperator(Chain chain) : chain_(std::move(chain)) {}
  at::Tensor forward(const at::Tensor& input, const Forward& how) override { return chain_.forward(input, how); }
  const std::vector<StateEntry>& state() override { return chain_.state(); }
  std::vector<MixopStage> structure() override { return chain_.structure(); }
  bool cost(const ImageShape& shape, Cost& cost) override;

 private:
  Chain chain_;
};

/// The component of an operator that the callable `build` describes: chain_operator<[](const OpSpec& s) {
/// return Chain("op.").relu().conv(...); }>("name").
template <auto build, Domain domain = Domain::image>
MixopComponent chain_operator(const char* name) {
  return operator_from<[](const OpSpec& spec) -> std::unique_ptr<Operator> {
    return std::make_unique<ChainOperator>(build(spec));
  },
                       domain>(name);
}

}  // namespace mixop
