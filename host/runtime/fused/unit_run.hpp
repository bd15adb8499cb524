#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "host/runtime/fused/chain.hpp"
#include "host/runtime/fused/cpu/kernels.hpp"
#include "host/runtime/fused/maps.hpp"
#include "host/runtime/fused/reading.hpp"

namespace mixop {

/// One of the terms that the gradient of a unit's output is the sum of: factor(n) * maps of image n.
template <class T>
struct GradientTerm {
  const T* maps = nullptr;
  const double* sums = nullptr;     ///< of the maps, [images][channels]
  double factor = 1;
  const double* factors = nullptr;  ///< [images], in place of `factor`
  bool wanted = false;              ///< whether `gradient` is
  double gradient = 0;              ///< d loss / d factor: the sum of maps * output
  std::size_t copy = 0;             ///< see UnitRun::output()
  const double* dots = nullptr;     ///< sums of the maps times the unit's output before its norm, as `sums`; not null
                                    ///< where the unit has a norm or the gradient is wanted

  double factor_of(std::int64_t n) const { return factors != nullptr ? factors[n] : factor; }
};

/// Where the gradient of a unit's input goes; nowhere: it is not computed.
template <class T>
struct InputGradient {
  T* maps = nullptr;
  bool accumulate = false;  ///< it is added to what is there
  double* sums = nullptr;   ///< where given, receives its sums [images][channels]
  double* dots = nullptr;   ///< with `sums`: and those of its product with the input before its norm
};

/// Gradients of a unit's parameters; undefined ones were not wanted.
struct UnitGradients {
  at::Tensor depthwise;
  std::vector<at::Tensor> parts;
  at::Tensor norm_weight, norm_bias;
};

/// One unit in one pass, as UnitGroup runs it.
template <class T>
class UnitRun {
 public:
  UnitRun(const Unit& unit, const cpu::Kernels<T>& kernels, BufferPool& pool)
      : unit_(&unit), k_(&kernels), pool_(&pool) {}

  /// What comes out, with the norm of the `copy`th of the candidates that share the unit.
  Maps<T> output(std::size_t copy = 0) const {
    return {y_.data(), images_, height_, width_, channels_, norm(copy)};
  }
  const ChannelAffine& norm(std::size_t copy) const { return norms_[norms_.size() == 1 ? 0 : copy]; }
  /// Gives the output's memory back.
  void release() { y_.release(); }

 private:
  template <class>
  friend class UnitGroup;
  template <class>
  friend class UnitForward;
  template <class>
  friend class UnitBackward;

  std::int64_t numbers() const { return height_ * width_ * channels_; }
  void take_statistics(bool update);
  void read_running();

  const Unit* unit_;
  const cpu::Kernels<T>* k_;
  BufferPool* pool_;
  bool training_ = true;
  std::int64_t images_ = 0, height_ = 0, width_ = 0, channels_ = 0;  // of the output
  Buffer<T> y_;
  Buffer<std::uint8_t> from_;           // of a max pool
  std::vector<double> sums_, squares_;  // of each image and channel
  std::vector<double> mean_, inverse_;  // of the batch
  std::vector<ChannelAffine> norms_;    // of each candidate that shares the unit
};

/// Units that read one value through windows of one stride, so that they share its padded copy and the way back to its
/// gradient. Forward once, then at most once backward. Images are shared out over LibTorch's threads; sums are taken
/// image by image or over groups of images that do not depend on the threads, whose number changes no bit.
template <class T>
class UnitGroup {
 public:
  UnitGroup(const std::vector<const Unit*>& units, const cpu::Kernels<T>& kernels, BufferPool& pool);

  /// Whether the unit may join one that begins with `first`.
  static bool fits(const Unit& first, const Unit& unit);

  /// `x` must stay until backward(). Running statistics are updated where `update` is set.
  void forward(const Maps<T>& x, bool training, bool update);
  UnitRun<T>& unit(std::size_t i) { return units_[i]; }
  const UnitRun<T>& unit(std::size_t i) const { return units_[i]; }
  std::size_t size() const { return units_.size(); }
  /// `terms` of each unit, whose gradients it fills in; none: nothing comes back through the unit. `weights`: whether
  /// the gradients of parameters are wanted.
  std::vector<UnitGradients> backward(std::vector<std::vector<GradientTerm<T>>>& terms, const InputGradient<T>& input,
                                      bool weights);

 private:
  const cpu::Kernels<T>* k_;
  BufferPool* pool_;
  std::vector<UnitRun<T>> units_;
  Maps<T> x_;
  Reading reading_;                 // of all windows
  std::vector<std::size_t> first_;  // of each unit: its first window in it
};

/// 1 / how many of the window's places lie inside the map, for each number of the output, whose rows lie `row` apart.
template <class T>
std::vector<T> inverse_counts(const Reading& reading, const Window& window, std::int64_t row);

}  // namespace mixop
