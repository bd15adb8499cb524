#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "host/runtime/fused/buffers.hpp"
#include "host/runtime/fused/cpu/kernels.hpp"
#include "host/runtime/threads.hpp"

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

/// Numbers of a pool with the room behind them that kernels may touch.
template <class T>
Buffer<T> scratch(BufferPool& pool, std::int64_t numbers, std::int64_t period) {
  return Buffer<T>(pool, static_cast<std::size_t>(numbers + period + cpu::kSlack));
}

/// Runs f(image) for all images over LibTorch's threads.
template <class F>
void by_images(std::int64_t images, const F& f) {
  for_ranges(images, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) f(n);
  });
}

/// [N, C, H, W] in channels last, without a graph.
at::Tensor dense(const at::Tensor& x);

/// The maps of a dense() tensor, and a tensor on the memory of maps: both share it.
template <class T>
Maps<T> maps_of(const at::Tensor& x);
template <class T>
at::Tensor tensor_of(const Maps<T>& shape, const T* data);

/// The channels of all maps, which are of one size, in their order.
template <class T>
at::Tensor joined_channels(const std::vector<Maps<T>>& maps);
/// The channels from `first` on, as many as `shape` has, in the place of `to` or added to it.
template <class T>
void take_channels(const Maps<T>& from, std::int64_t first, const Maps<T>& shape, bool adds, T* to);
/// Adds maps to the channels from `first` on of `to`, which is of `shape`.
template <class T>
void add_channels(const Maps<T>& from, std::int64_t first, const Maps<T>& shape, T* to);

/// at::channel_shuffle by `divisor` of two maps, one behind the other, the first with a divisor-th of all channels.
template <class T>
void interleave(const Maps<T>& one, const Maps<T>& others, std::int64_t divisor, T* to);
/// The opposite; a null pointer is not written.
template <class T>
void uninterleave(const Maps<T>& from, std::int64_t divisor, T* one, T* others);

}  // namespace mixop
