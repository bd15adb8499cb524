#include "host/runtime/fused/maps.hpp"

#include <ATen/ATen.h>

#include <cstring>

namespace mixop {
namespace {

/// Copies channels of pixels that lie `from_step` and `to_step` numbers apart: so few that a call for each costs more.
template <class T>
void copy_pixels(std::int64_t pixels, std::int64_t channels, const T* from, std::int64_t from_step, T* to,
                 std::int64_t to_step) {
  constexpr std::int64_t kPiece = 16 / sizeof(T);
  for (std::int64_t p = 0; p < pixels; ++p, from += from_step, to += to_step) {
    std::int64_t c = 0;
    for (; c + kPiece <= channels; c += kPiece) std::memcpy(to + c, from + c, kPiece * sizeof(T));
    for (; c < channels; ++c) to[c] = from[c];
  }
}

}  // namespace

at::Tensor dense(const at::Tensor& x) { return x.detach().contiguous(at::MemoryFormat::ChannelsLast); }

template <class T>
Maps<T> maps_of(const at::Tensor& x) {
  return {x.const_data_ptr<T>(), x.size(0), x.size(2), x.size(3), x.size(1)};
}

template <class T>
at::Tensor tensor_of(const Maps<T>& shape, const T* data) {
  return at::from_blob(const_cast<T*>(data), {shape.images, shape.channels, shape.height, shape.width},
                       {shape.numbers(), 1, shape.width * shape.channels, shape.channels},
                       at::TensorOptions(c10::CppTypeToScalarType<T>::value));
}

template <class T>
at::Tensor joined_channels(const std::vector<Maps<T>>& maps) {
  const Maps<T>& shape = maps.front();
  std::int64_t channels = 0;
  for (const Maps<T>& one : maps) channels += one.channels;
  at::Tensor result = at::empty({shape.images, channels, shape.height, shape.width},
                                at::TensorOptions(c10::CppTypeToScalarType<T>::value)
                                    .memory_format(at::MemoryFormat::ChannelsLast));
  T* to = result.mutable_data_ptr<T>();
  const std::int64_t pixels = shape.height * shape.width;
  by_images(shape.images, [&](std::int64_t n) {
    std::int64_t first = 0;
    for (const Maps<T>& one : maps) {
      copy_pixels(pixels, one.channels, one.image(n), one.channels, to + n * pixels * channels + first, channels);
      first += one.channels;
    }
  });
  return result;
}

template <class T>
void take_channels(const Maps<T>& from, std::int64_t first, const Maps<T>& shape, bool adds, T* to) {
  const std::int64_t pixels = shape.height * shape.width;
  by_images(shape.images, [&](std::int64_t n) {
    const T* x = from.image(n) + first;
    T* y = to + n * pixels * shape.channels;
    if (!adds) return copy_pixels(pixels, shape.channels, x, from.channels, y, shape.channels);
    for (std::int64_t p = 0; p < pixels; ++p, x += from.channels, y += shape.channels)
      for (std::int64_t c = 0; c < shape.channels; ++c) y[c] += x[c];
  });
}

template <class T>
void add_channels(const Maps<T>& from, std::int64_t first, const Maps<T>& shape, T* to) {
  const std::int64_t pixels = shape.height * shape.width;
  by_images(shape.images, [&](std::int64_t n) {
    for (std::int64_t p = 0; p < pixels; ++p) {
      const T* x = from.image(n) + p * from.channels;
      T* y = to + (n * pixels + p) * shape.channels + first;
      for (std::int64_t c = 0; c < from.channels; ++c) y[c] += x[c];
    }
  });
}

template <class T>
void interleave(const Maps<T>& one, const Maps<T>& others, std::int64_t divisor, T* to) {
  const std::int64_t pixels = one.height * one.width, size = one.channels;
  by_images(one.images, [&](std::int64_t n) {
    const T *x = one.image(n), *rest = others.image(n);
    T* y = to + n * pixels * size * divisor;
    for (std::int64_t p = 0; p < pixels; ++p, x += size, rest += others.channels, y += size * divisor)
      for (std::int64_t c = 0; c < size; ++c) {
        y[c * divisor] = x[c];
        for (std::int64_t g = 1; g < divisor; ++g) y[c * divisor + g] = rest[(g - 1) * size + c];
      }
  });
}

template <class T>
void uninterleave(const Maps<T>& from, std::int64_t divisor, T* one, T* others) {
  const std::int64_t pixels = from.height * from.width, size = from.channels / divisor, behind = from.channels - size;
  by_images(from.images, [&](std::int64_t n) {
    const T* y = from.image(n);
    for (std::int64_t p = n * pixels; p < (n + 1) * pixels; ++p, y += from.channels) {
      for (std::int64_t c = 0; one != nullptr && c < size; ++c) one[p * size + c] = y[c * divisor];
      for (std::int64_t g = 1; others != nullptr && g < divisor; ++g)
        for (std::int64_t c = 0; c < size; ++c) others[p * behind + (g - 1) * size + c] = y[c * divisor + g];
    }
  });
}

#define MIXOP_INSTANCES(T)                                                     \
  template Maps<T> maps_of<T>(const at::Tensor&);                              \
  template at::Tensor tensor_of<T>(const Maps<T>&, const T*);                  \
  template at::Tensor joined_channels<T>(const std::vector<Maps<T>>&);         \
  template void take_channels<T>(const Maps<T>&, std::int64_t, const Maps<T>&, bool, T*); \
  template void add_channels<T>(const Maps<T>&, std::int64_t, const Maps<T>&, T*); \
  template void interleave<T>(const Maps<T>&, const Maps<T>&, std::int64_t, T*); \
  template void uninterleave<T>(const Maps<T>&, std::int64_t, T*, T*);
MIXOP_INSTANCES(float)
MIXOP_INSTANCES(double)

}  // namespace mixop
