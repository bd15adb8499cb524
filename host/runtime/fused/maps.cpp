#include "host/runtime/fused/maps.hpp"

#include <ATen/ATen.h>

#include <cstring>

namespace mixop {

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
      for (std::int64_t p = 0; p < pixels; ++p)
        std::memcpy(to + (n * pixels + p) * channels + first, one.image(n) + p * one.channels,
                    static_cast<std::size_t>(one.channels) * sizeof(T));
      first += one.channels;
    }
  });
  return result;
}

template <class T>
void take_channels(const at::Tensor& from, std::int64_t first, const Maps<T>& shape, bool adds, T* to) {
  const T* data = from.const_data_ptr<T>();
  const std::int64_t channels = from.size(1), pixels = from.size(2) * from.size(3);
  by_images(from.size(0), [&](std::int64_t n) {
    for (std::int64_t p = 0; p < pixels; ++p) {
      const T* x = data + (n * pixels + p) * channels + first;
      T* y = to + (n * pixels + p) * shape.channels;
      if (!adds) std::memcpy(y, x, static_cast<std::size_t>(shape.channels) * sizeof(T));
      for (std::int64_t c = 0; adds && c < shape.channels; ++c) y[c] += x[c];
    }
  });
}

#define MIXOP_INSTANCES(T)                                                     \
  template Maps<T> maps_of<T>(const at::Tensor&);                              \
  template at::Tensor tensor_of<T>(const Maps<T>&, const T*);                  \
  template at::Tensor joined_channels<T>(const std::vector<Maps<T>>&);         \
  template void take_channels<T>(const at::Tensor&, std::int64_t, const Maps<T>&, bool, T*);
MIXOP_INSTANCES(float)
MIXOP_INSTANCES(double)

}  // namespace mixop
