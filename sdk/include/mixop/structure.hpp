#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mixop/abi/ext/structure.h"

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
  bool bias = false;
};

/// What a stage computes, see MIXOP_STAGE_* in abi/ext/structure.h.
enum class StageKind : std::int32_t {
  zero = MIXOP_STAGE_ZERO,
  identity = MIXOP_STAGE_IDENTITY,
  relu = MIXOP_STAGE_RELU,
  tanh = MIXOP_STAGE_TANH,
  sigmoid = MIXOP_STAGE_SIGMOID,
  conv = MIXOP_STAGE_CONV,
  batch_norm = MIXOP_STAGE_BATCH_NORM,
  max_pool = MIXOP_STAGE_MAX_POOL,
  avg_pool = MIXOP_STAGE_AVG_POOL,
  global_avg_pool = MIXOP_STAGE_GLOBAL_AVG_POOL,
  linear = MIXOP_STAGE_LINEAR,
  shift = MIXOP_STAGE_SHIFT,
  add = MIXOP_STAGE_ADD,
  multiply = MIXOP_STAGE_MULTIPLY,
  concat = MIXOP_STAGE_CONCAT,
  shuffle = MIXOP_STAGE_SHUFFLE,
};

/// One step of a structure.
struct Stage {
  StageKind kind = StageKind::identity;
  std::string name{};       ///< begins the names of its tensors: "op.1" gives "op.1.weight"; stages without have none
  std::vector<int> inputs;  ///< values that it reads: 0 is the structure's input, i the output of stage i - 1
  std::int64_t in = 0;      ///< channels
  std::int64_t out = 0;
  std::int64_t groups = 1;  ///< of a convolution or a channel shuffle
  Pair kernel{1, 1};
  Pair stride{1, 1};
  Pair padding{0, 0};
  Pair dilation{1, 1};
  bool affine = false;  ///< of a norm: it has weight and bias
  bool bias = false;    ///< of a convolution or a linear layer
  double epsilon = 1e-5;
  double momentum = 0.1;  ///< of a norm: running = (1 - momentum) * running + momentum * batch
  friend bool operator==(const Stage&, const Stage&) = default;
};

/// What an operator or a fixed layer computes, as a small graph of known stages whose last value is the output. It is a
/// value: the host makes its tensors (weights uniform in +-1/sqrt(fan in), as PyTorch), runs, counts and fuses it.
/// Built stage by stage; a stage reads the value before it unless from() names another.
class Structure {
 public:
  /// Names begin with `prefix`: "op." gives "op.0.weight" for the first stage, as torch.nn.Sequential counts.
  explicit Structure(std::string prefix = "") : prefix_(std::move(prefix)) {}

  Structure& zero(std::int64_t stride);
  Structure& identity();
  Structure& relu();
  Structure& tanh();
  Structure& sigmoid();
  Structure& conv(const ConvSpec& spec);
  Structure& batch_norm(std::int64_t channels, bool affine);
  Structure& max_pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding);
  /// Padding is not counted in the mean.
  Structure& avg_pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding);
  Structure& avg_pool(const Pair& kernel, const Pair& stride, const Pair& padding);
  /// To one pixel.
  Structure& global_avg_pool();
  /// On the input flattened from dimension 1; with a bias.
  Structure& linear(std::int64_t in, std::int64_t out);
  /// Halves the resolution: 1x1 convolutions of stride 2 on x and on x shifted by one pixel, concatenated. Their state
  /// is named `<prefix>conv_1.weight` and `<prefix>conv_2.weight`.
  Structure& factorized_reduce(std::int64_t in, std::int64_t out);
  /// Drops the first row and column; an odd side gets a row or column of zeros at its far end.
  Structure& shift();
  /// The channels in `groups` groups, transposed (Zhang et al., CVPR 2018).
  Structure& shuffle(std::int64_t groups);
  /// Element by element with an earlier value. In a product one factor may be one pixel, or one channel.
  Structure& add(int value);
  Structure& multiply(int value);
  /// Channels of these values, in that order.
  Structure& concat(std::vector<int> values);

  /// The name of the next stage in place of its position: name("bn").batch_norm(...) gives "<prefix>bn.weight". It may
  /// be empty: a block "classifier" with the stage "" has "classifier.weight".
  Structure& name(std::string stage);
  /// The next stage reads this value: 0 is the input.
  Structure& from(int value);
  /// The value that the last stage gave; 0 where there is none.
  int here() const { return static_cast<int>(stages_.size()); }
  /// Appends the stages of another structure, on the value before.
  Structure& then(const Structure& other);

  const std::vector<Stage>& stages() const { return stages_; }
  bool empty() const { return stages_.empty(); }
  /// Whether it is that one stage alone.
  bool is_only(StageKind kind) const { return stages_.size() == 1 && stages_.front().kind == kind; }
  /// From stages that somebody else has built.
  static Structure of(std::vector<Stage> stages);

  friend bool operator==(const Structure& a, const Structure& b) { return a.stages_ == b.stages_; }

 private:
  Stage& push(StageKind kind);
  std::string stage_name();

  std::string prefix_;
  std::optional<std::string> next_name_;
  int next_input_ = -1;
  std::vector<Stage> stages_;
};

/// ReLU, convolution, batch norm: the published ReLUConvBN, named `<prefix>op.N`.
Structure relu_conv_norm(const std::string& prefix, const ConvSpec& spec, bool affine);
/// ReLU, factorized reduction, batch norm, named `<prefix>conv_1`, `conv_2`, `bn`.
Structure relu_reduce_norm(const std::string& prefix, std::int64_t in, std::int64_t out, bool affine);

}  // namespace mixop
