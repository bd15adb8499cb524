#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "host/runtime/fused/buffers.hpp"
#include "host/runtime/fused/chain.hpp"
#include "host/runtime/fused/cpu/kernels.hpp"
#include "host/runtime/fused/reading.hpp"

namespace mixop {

/// What readers make of a value: scale * value + shift, by channel. Empty: the value itself.
struct ChannelAffine {
  std::vector<double> scale, shift;
};

/// A batch of maps, channels last, as they lie in memory; `norm` is what readers make of them.
template <class T>
struct Maps {
  const T* data = nullptr;
  std::int64_t images = 0, height = 0, width = 0, channels = 0;
  ChannelAffine norm{};

  std::int64_t numbers() const { return height * width * channels; }
  const T* image(std::int64_t n) const { return data + n * numbers(); }
};

/// One of the terms that the gradient of a unit's output is the sum of: factor(n) * maps of image n.
template <class T>
struct GradientTerm {
  const T* maps = nullptr;
  const double* sums = nullptr;     ///< of the maps, [images][channels]
  double factor = 1;
  const double* factors = nullptr;  ///< [images], in place of `factor`
  bool wanted = false;              ///< whether `gradient` is
  double gradient = 0;              ///< d loss / d factor: the sum of maps * output

  double factor_of(std::int64_t n) const { return factors != nullptr ? factors[n] : factor; }
};

/// Where the gradient of a unit's input goes; nowhere: it is not computed.
template <class T>
struct InputGradient {
  T* maps = nullptr;
  bool accumulate = false;  ///< it is added to what is there
};

/// Gradients of a unit's parameters; undefined ones were not wanted.
struct UnitGradients {
  at::Tensor depthwise;
  std::vector<at::Tensor> parts;
  at::Tensor norm_weight, norm_bias;
};

/// Numbers of a pool with the room behind them that kernels may touch.
template <class T>
Buffer<T> scratch(BufferPool& pool, std::int64_t numbers, std::int64_t period) {
  return Buffer<T>(pool, static_cast<std::size_t>(numbers + period + cpu::kSlack));
}

/// One unit in one pass: forward, then at most once backward. Images are shared out over LibTorch's threads; sums are
/// taken image by image or over groups of images that do not depend on the threads, whose number changes no bit.
template <class T>
class UnitRun {
 public:
  UnitRun(const Unit& unit, const cpu::Kernels<T>& kernels, BufferPool& pool)
      : unit_(&unit), k_(&kernels), pool_(&pool) {}

  /// `x` must stay until backward(). Running statistics are updated where `update` is set.
  void forward(const Maps<T>& x, bool training, bool update);
  /// What comes out, with the norm of the `copy`th of the candidates that share the unit.
  Maps<T> output(std::size_t copy = 0) const;
  /// Fills in the terms' gradients. `weights`: whether those of parameters are wanted.
  UnitGradients backward(std::vector<GradientTerm<T>>& terms, const InputGradient<T>& input, bool weights);

 private:
  class Forward;
  class Backward;

  void take_statistics(bool update);
  void read_running();

  const Unit* unit_;
  const cpu::Kernels<T>* k_;
  BufferPool* pool_;
  Maps<T> x_;
  bool training_ = true;
  Reading reading_;
  std::int64_t channels_ = 0;  // of the output
  Buffer<T> y_;
  Buffer<std::uint8_t> from_;           // of a max pool
  std::vector<double> mean_, inverse_;  // of the batch
  std::vector<ChannelAffine> norms_;    // of each candidate that shares the unit
};

/// How many of the window's places lie inside the map, for each pixel of the output: 1 / count.
std::vector<double> inverse_counts(const Reading& reading, const Window& window);

}  // namespace mixop
