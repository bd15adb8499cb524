#include "host/runtime/fused/packed.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace mixop {

template <class T>
std::vector<T> packed_depthwise(const at::Tensor& weight, const cpu::Kernels<T>& kernels, bool flipped) {
  const std::int64_t channels = weight.size(0), taps = weight.size(2) * weight.size(3);
  const std::int64_t period = kernels.period(channels);
  const at::Tensor dense = weight.detach().contiguous();
  const T* from = dense.const_data_ptr<T>();
  std::vector<T> packed(static_cast<std::size_t>(taps * period));
  for (std::int64_t tap = 0; tap < taps; ++tap)
    for (std::int64_t i = 0; i < period; ++i)
      packed[static_cast<std::size_t>(tap * period + i)] = from[i % channels * taps + (flipped ? taps - 1 - tap : tap)];
  return packed;
}

template <class T>
std::vector<T> packed_dense(const at::Tensor& weight, const cpu::Kernels<T>& kernels, bool transposed, bool flipped) {
  const std::int64_t out = weight.size(0), in = weight.size(1), taps = weight.size(2) * weight.size(3);
  const std::int64_t rows = transposed ? out : in, width = kernels.rounded(transposed ? in : out);
  const at::Tensor dense = weight.detach().contiguous();
  const T* from = dense.const_data_ptr<T>();
  std::vector<T> packed(static_cast<std::size_t>(taps * rows * width), T(0));
  for (std::int64_t o = 0; o < out; ++o)
    for (std::int64_t i = 0; i < in; ++i)
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        const std::int64_t row = transposed ? o : i, column = transposed ? i : o;
        const std::int64_t place = flipped ? taps - 1 - tap : tap;
        packed[static_cast<std::size_t>((place * rows + row) * width + column)] = from[(o * in + i) * taps + tap];
      }
  return packed;
}

template <class T>
at::Tensor unpacked_depthwise(const at::Tensor& weight, const cpu::Kernels<T>& kernels,
                              const std::vector<const T*>& sums) {
  const std::int64_t channels = weight.size(0), taps = weight.size(2) * weight.size(3);
  const std::int64_t period = kernels.period(channels);
  at::Tensor gradient = at::empty(weight.sizes(), weight.options().requires_grad(false));
  T* to = gradient.mutable_data_ptr<T>();
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      double sum = 0;
      for (const T* part : sums)
        for (std::int64_t i = c; i < period; i += channels) sum += static_cast<double>(part[tap * period + i]);
      to[c * taps + tap] = static_cast<T>(sum);
    }
  return gradient;
}

template <class T>
at::Tensor unpacked_dense(const at::Tensor& weight, const cpu::Kernels<T>& kernels, const std::vector<const T*>& sums) {
  const std::int64_t out = weight.size(0), in = weight.size(1), taps = weight.size(2) * weight.size(3);
  const std::int64_t width = kernels.rounded(out);
  at::Tensor gradient = at::empty(weight.sizes(), weight.options().requires_grad(false));
  T* to = gradient.mutable_data_ptr<T>();
  std::vector<double> row(static_cast<std::size_t>(out));
  for (std::int64_t tap = 0; tap < taps; ++tap)
    for (std::int64_t i = 0; i < in; ++i) {
      std::fill(row.begin(), row.end(), 0);
      for (const T* part : sums)
        for (std::int64_t o = 0; o < out; ++o)
          row[static_cast<std::size_t>(o)] += static_cast<double>(part[(tap * in + i) * width + o]);
      for (std::int64_t o = 0; o < out; ++o)
        to[(o * in + i) * taps + tap] = static_cast<T>(row[static_cast<std::size_t>(o)]);
    }
  return gradient;
}

template <class T>
std::vector<T> tiled(const std::vector<double>& channels, std::int64_t period) {
  std::vector<T> numbers(static_cast<std::size_t>(period));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<T>(channels[i % channels.size()]);
  return numbers;
}

std::vector<double> doubles_of(const at::Tensor& tensor) {
  if (!tensor.defined()) return {};
  const at::Tensor numbers = tensor.detach().to(at::kDouble).contiguous();
  const double* from = numbers.const_data_ptr<double>();
  return {from, from + numbers.numel()};
}

#define MIXOP_INSTANCES(T)                                                                               \
  template std::vector<T> packed_depthwise<T>(const at::Tensor&, const cpu::Kernels<T>&, bool);          \
  template std::vector<T> packed_dense<T>(const at::Tensor&, const cpu::Kernels<T>&, bool, bool);        \
  template at::Tensor unpacked_depthwise<T>(const at::Tensor&, const cpu::Kernels<T>&,                   \
                                            const std::vector<const T*>&);                               \
  template at::Tensor unpacked_dense<T>(const at::Tensor&, const cpu::Kernels<T>&, const std::vector<const T*>&); \
  template std::vector<T> tiled<T>(const std::vector<double>&, std::int64_t);
MIXOP_INSTANCES(float)
MIXOP_INSTANCES(double)

}  // namespace mixop
