#include <utility>

#include "host/runtime/fused/cpu/isa.hpp"
#include "host/runtime/fused/cpu/simd.hpp"

namespace mixop::cpu::MIXOP_ISA {
namespace {

/// How many pixels are computed at once with so many vectors of output channels each: what the registers hold.
constexpr int pixels_of(int vectors) {
  const int more = kRegisters == 32 ? 2 : 1;
  return vectors == 1 ? 8 * more : vectors == 2 ? 6 * more : vectors == 3 ? 4 * more : 3 * more;
}

template <class T>
std::int64_t rounded(std::int64_t channels) {
  return (channels + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

template <class T>
inline void put(T* out, Vector<T> sum, std::int64_t count, bool accumulate) {
  if (count >= kLanes<T>)
    store(out, accumulate ? load(out) + sum : sum);
  else
    store_some(out, accumulate ? load_some(out, count) + sum : sum, count);
}

/// What INPUTS channels of each pixel give. Several at once, so that the place of a pixel is worked out for all of them.
template <class T, int PIXELS, int VECTORS, int INPUTS>
inline void add_inputs(Vector<T> (&sums)[PIXELS][VECTORS], const T* weights, std::int64_t width, const T* x,
                       std::int64_t pixel_x) {
  Vector<T> factors[INPUTS][VECTORS];
  MIXOP_UNROLL
  for (int i = 0; i < INPUTS; ++i)
    MIXOP_UNROLL
    for (int v = 0; v < VECTORS; ++v) factors[i][v] = load(weights + i * width + v * kLanes<T>);
  MIXOP_UNROLL
  for (int p = 0; p < PIXELS; ++p, x += pixel_x)
    MIXOP_UNROLL
    for (int i = 0; i < INPUTS; ++i)
      MIXOP_UNROLL
      for (int v = 0; v < VECTORS; ++v) sums[p][v] += factors[i][v] * x[i];
}

/// PIXELS x VECTORS of the output; `left`: output channels from the first vector on.
template <class T, int PIXELS, int VECTORS>
inline void tile(const Convolve<T>& job, std::int64_t width, const T* x, const T* weights, T* out, std::int64_t left) {
  constexpr int kInputs = VECTORS <= 2 ? 4 / VECTORS : 1;
  const std::int64_t pixel_x = job.pixel_x, pixel_out = job.pixel_out;
  const bool accumulate = job.accumulate;
  Vector<T> sums[PIXELS][VECTORS] = {};
  for (std::int64_t tap = 0; tap < job.taps; ++tap) {
    const T* weight = weights + tap * job.in * width;
    const T* from = x + job.offsets[tap];
    std::int64_t i = 0;
    for (; i + kInputs <= job.in; i += kInputs, weight += kInputs * width)
      add_inputs<T, PIXELS, VECTORS, kInputs>(sums, weight, width, from + i, pixel_x);
    for (; i < job.in; ++i, weight += width) add_inputs<T, PIXELS, VECTORS, 1>(sums, weight, width, from + i, pixel_x);
  }
  MIXOP_UNROLL
  for (int p = 0; p < PIXELS; ++p)
    MIXOP_UNROLL
    for (int v = 0; v < VECTORS; ++v)
      put(out + p * pixel_out + v * kLanes<T>, sums[p][v], left - v * kLanes<T>, accumulate);
}

template <class T, int VECTORS>
void columns(const Convolve<T>& job, std::int64_t first) {
  constexpr int kPixels = pixels_of(VECTORS);
  const std::int64_t width = rounded<T>(job.out_channels), left = job.out_channels - first;
  const T* weights = job.weights + first;
  for (std::int64_t row = 0; row < job.rows; ++row) {
    const T* x = job.x + row * job.row_x;
    T* out = job.out + row * job.row_out + first;
    std::int64_t p = 0;
    for (; p + kPixels <= job.width; p += kPixels)
      tile<T, kPixels, VECTORS>(job, width, x + p * job.pixel_x, weights, out + p * job.pixel_out, left);
    for (; p + 4 <= job.width; p += 4)
      tile<T, 4, VECTORS>(job, width, x + p * job.pixel_x, weights, out + p * job.pixel_out, left);
    for (; p + 2 <= job.width; p += 2)
      tile<T, 2, VECTORS>(job, width, x + p * job.pixel_x, weights, out + p * job.pixel_out, left);
    for (; p < job.width; ++p)
      tile<T, 1, VECTORS>(job, width, x + p * job.pixel_x, weights, out + p * job.pixel_out, left);
  }
}

/// Whether a vector holds whole pixels, on both sides: then it is computed as a run of numbers.
template <class T>
bool is_narrow(std::int64_t in, std::int64_t out, std::int64_t taps, std::int64_t pixel_x, std::int64_t pixel_out) {
  return in == out && in > 1 && in < kLanes<T> && kLanes<T> % in == 0 && taps == 1 && pixel_x == in && pixel_out == in;
}

/// Lane l of the result: that of channel CHANNEL of the pixel that lane l belongs to.
template <class T, int CHANNELS, int CHANNEL, int... LANES>
inline Vector<T> spread(Vector<T> numbers, std::integer_sequence<int, LANES...>) {
  return permute<T>(numbers, Index<T>{LANES / CHANNELS * CHANNELS + CHANNEL...});
}

/// Calls f(channel, numbers spread for it) for each channel of a pixel.
template <class T, class F, int... CHANNEL>
inline void by_channels(Vector<T> numbers, F&& f, std::integer_sequence<int, CHANNEL...>) {
  constexpr auto kAll = std::make_integer_sequence<int, static_cast<int>(kLanes<T>)>();
  (f(CHANNEL, spread<T, static_cast<int>(sizeof...(CHANNEL)), CHANNEL>(numbers, kAll)), ...);
}

template <class T, int CHANNELS, int BLOCKS>
inline void narrow_tile(const Convolve<T>& job, const Vector<T>* weights, const T* x, T* out, std::int64_t left) {
  Vector<T> sums[BLOCKS] = {};
  MIXOP_UNROLL
  for (int b = 0; b < BLOCKS; ++b)
    by_channels<T>(
        load(x + b * kLanes<T>), [&](int channel, Vector<T> spread) { sums[b] += weights[channel] * spread; },
        std::make_integer_sequence<int, CHANNELS>());
  MIXOP_UNROLL
  for (int b = 0; b < BLOCKS; ++b)
    if (left > b * kLanes<T>) put(out + b * kLanes<T>, sums[b], left - b * kLanes<T>, job.accumulate);
}

template <class T, int CHANNELS>
void narrow(const Convolve<T>& job) {
  Vector<T> weights[CHANNELS];
  MIXOP_UNROLL
  for (int i = 0; i < CHANNELS; ++i)
    for (int l = 0; l < kLanes<T>; ++l) weights[i][l] = job.weights[i * kLanes<T> + l % CHANNELS];
  const std::int64_t numbers = job.width * CHANNELS;
  constexpr int kBlocks = 4;
  for (std::int64_t row = 0; row < job.rows; ++row) {
    const T* x = job.x + job.offsets[0] + row * job.row_x;
    T* out = job.out + row * job.row_out;
    std::int64_t i = 0;
    for (; i + kBlocks * kLanes<T> <= numbers; i += kBlocks * kLanes<T>)
      narrow_tile<T, CHANNELS, kBlocks>(job, weights, x + i, out + i, numbers - i);
    for (; i < numbers; i += kLanes<T>) narrow_tile<T, CHANNELS, 1>(job, weights, x + i, out + i, numbers - i);
  }
}

/// out[i .. i + INPUTS][o .. o + VECTORS] of one tap.
template <class T, int INPUTS, int VECTORS>
inline void outer_tile(const ConvolveWeights<T>& job, const T* x, const T* d, T* out, std::int64_t width) {
  Vector<T> sums[INPUTS][VECTORS] = {};
  for (std::int64_t row = 0; row < job.rows; ++row) {
    const T* from = x + row * job.row_x;
    const T* factors = d + row * job.row_d;
    for (std::int64_t p = 0; p < job.width; ++p, from += job.pixel_x, factors += job.pixel_d) {
      Vector<T> factor[VECTORS];
      MIXOP_UNROLL
      for (int v = 0; v < VECTORS; ++v) factor[v] = load(factors + v * kLanes<T>);
      MIXOP_UNROLL
      for (int i = 0; i < INPUTS; ++i)
        MIXOP_UNROLL
        for (int v = 0; v < VECTORS; ++v) sums[i][v] += factor[v] * from[i];
    }
  }
  MIXOP_UNROLL
  for (int i = 0; i < INPUTS; ++i)
    MIXOP_UNROLL
    for (int v = 0; v < VECTORS; ++v) {
      T* to = out + i * width + v * kLanes<T>;
      store(to, load(to) + sums[i][v]);
    }
}

template <class T, int VECTORS>
void outer_columns(const ConvolveWeights<T>& job, std::int64_t tap, std::int64_t first) {
  constexpr int kInputs = pixels_of(VECTORS);
  const std::int64_t width = rounded<T>(job.out_channels);
  const T* x = job.x + job.offsets[tap];
  const T* d = job.d + first;
  T* out = job.out + tap * job.in * width + first;
  std::int64_t i = 0;
  for (; i + kInputs <= job.in; i += kInputs) outer_tile<T, kInputs, VECTORS>(job, x + i, d, out + i * width, width);
  for (; i + 4 <= job.in; i += 4) outer_tile<T, 4, VECTORS>(job, x + i, d, out + i * width, width);
  for (; i < job.in; ++i) outer_tile<T, 1, VECTORS>(job, x + i, d, out + i * width, width);
}

template <class T, int CHANNELS>
void narrow_outer(const ConvolveWeights<T>& job) {
  Vector<T> sums[CHANNELS] = {};
  const std::int64_t numbers = job.width * CHANNELS;
  for (std::int64_t row = 0; row < job.rows; ++row) {
    const T* x = job.x + job.offsets[0] + row * job.row_x;
    const T* d = job.d + row * job.row_d;
    by_vectors<T>(numbers, [&](std::int64_t p, std::int64_t count) {
      const Vector<T> factor = count == kLanes<T> ? load(d + p) : load_some(d + p, count);
      const Vector<T> number = count == kLanes<T> ? load(x + p) : load_some(x + p, count);
      by_channels<T>(
          number, [&](int channel, Vector<T> spread) { sums[channel] += factor * spread; },
          std::make_integer_sequence<int, CHANNELS>());
    });
  }
  MIXOP_UNROLL
  for (int i = 0; i < CHANNELS; ++i)
    for (int l = 0; l < kLanes<T>; ++l) job.out[i * kLanes<T> + l % CHANNELS] += sums[i][l];
}

/// Calls f.operator()<V>(first) for groups of at most four vectors that make up `width` numbers.
template <class T, class F>
inline void by_groups(std::int64_t width, F&& f) {
  std::int64_t first = 0;
  const auto vectors = [&] { return (width - first) / kLanes<T>; };
  for (; vectors() >= 4 && vectors() != 5; first += 4 * kLanes<T>) f.template operator()<4>(first);
  for (; vectors() >= 3; first += 3 * kLanes<T>) f.template operator()<3>(first);
  if (vectors() == 2) f.template operator()<2>(first);
  if (vectors() == 1) f.template operator()<1>(first);
}

}  // namespace

template <class T>
void convolve(const Convolve<T>& job) {
  if (is_narrow<T>(job.in, job.out_channels, job.taps, job.pixel_x, job.pixel_out)) {
    if (job.in == 2) return narrow<T, 2>(job);
    if (job.in == 4) return narrow<T, 4>(job);
    if constexpr (kLanes<T> > 8)
      if (job.in == 8) return narrow<T, 8>(job);
  }
  by_groups<T>(rounded<T>(job.out_channels),
               [&]<int VECTORS>(std::int64_t first) { columns<T, VECTORS>(job, first); });
}

template <class T>
void convolve_weights(const ConvolveWeights<T>& job) {
  if (is_narrow<T>(job.in, job.out_channels, job.taps, job.pixel_x, job.pixel_d)) {
    if (job.in == 2) return narrow_outer<T, 2>(job);
    if (job.in == 4) return narrow_outer<T, 4>(job);
    if constexpr (kLanes<T> > 8)
      if (job.in == 8) return narrow_outer<T, 8>(job);
  }
  for (std::int64_t tap = 0; tap < job.taps; ++tap)
    by_groups<T>(rounded<T>(job.out_channels),
                 [&]<int VECTORS>(std::int64_t first) { outer_columns<T, VECTORS>(job, tap, first); });
}

#define MIXOP_INSTANCES(T)                       \
  template void convolve<T>(const Convolve<T>&); \
  template void convolve_weights<T>(const ConvolveWeights<T>&);
MIXOP_INSTANCES(float)
MIXOP_INSTANCES(double)

}  // namespace mixop::cpu::MIXOP_ISA
