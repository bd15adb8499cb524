#include "host/runtime/fused/cpu/isa.hpp"
#include "host/runtime/fused/cpu/simd.hpp"

namespace mixop::cpu::MIXOP_ISA {
namespace {

/// Blocks of vectors that share the weights of a tap. TAPS: their number, or 0 where it is not one of the usual ones.
template <class T, int TAPS, int BLOCKS>
inline void window(const Depthwise<T>& job, const T* x, const T* weights, T* out) {
  const std::int64_t taps = TAPS > 0 ? TAPS : job.taps;
  Vector<T> sums[BLOCKS] = {};
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const Vector<T> weight = load(weights + tap * job.period);
    const T* from = x + job.offsets[tap];
    for (int b = 0; b < BLOCKS; ++b) sums[b] += weight * load(from + b * job.period);
  }
  for (int b = 0; b < BLOCKS; ++b) {
    T* to = out + b * job.period;
    store(to, job.accumulate ? load(to) + sums[b] : sums[b]);
  }
}

template <class T, int TAPS>
void windows(const Depthwise<T>& job) {
  constexpr int kBlocks = 8;
  for (std::int64_t row = 0; row < job.rows; ++row)
    for (std::int64_t v = 0; v < job.period; v += kLanes<T>) {
      const T* x = job.x + row * job.row_x + v;
      T* out = job.out + row * job.row_out + v;
      const T* weights = job.weights + v;
      std::int64_t i = 0;
      for (; i + kBlocks * job.period <= job.row_out; i += kBlocks * job.period)
        window<T, TAPS, kBlocks>(job, x + i, weights, out + i);
      for (; i + 2 * job.period <= job.row_out; i += 2 * job.period) window<T, TAPS, 2>(job, x + i, weights, out + i);
      for (; i < job.row_out; i += job.period) window<T, TAPS, 1>(job, x + i, weights, out + i);
    }
}

/// The sums of GROUP taps over all rows, for one vector of the period.
template <class T, int GROUP>
inline void weights_of(const DepthwiseWeights<T>& job, std::int64_t first_tap, std::int64_t v) {
  Vector<T> sums[GROUP] = {};
  for (std::int64_t row = 0; row < job.rows; ++row) {
    const T* d = job.d + row * job.row_d;
    const T* x[GROUP];
    for (int tap = 0; tap < GROUP; ++tap) x[tap] = job.x + row * job.row_x + job.offsets[first_tap + tap];
    std::int64_t i = v;
    for (; i + kLanes<T> <= job.numbers; i += job.period) {
      const Vector<T> factor = load(d + i);
      for (int tap = 0; tap < GROUP; ++tap) sums[tap] += factor * load(x[tap] + i);
    }
    if (i >= job.numbers) continue;
    // What lies behind a map may be no number, and zero times it would be none.
    const std::int64_t count = job.numbers - i;
    const Vector<T> factor = load_some(d + i, count);
    for (int tap = 0; tap < GROUP; ++tap) sums[tap] += factor * load_some(x[tap] + i, count);
  }
  T* out = job.out + first_tap * job.period + v;
  for (int tap = 0; tap < GROUP; ++tap) store(out + tap * job.period, load(out + tap * job.period) + sums[tap]);
}

}  // namespace

template <class T>
void depthwise(const Depthwise<T>& job) {
  switch (job.taps) {
    case 9:
      return windows<T, 9>(job);
    case 25:
      return windows<T, 25>(job);
    default:
      return windows<T, 0>(job);
  }
}

template <class T>
void depthwise_scatter(const DepthwiseScatter<T>& job) {
  for (std::int64_t row = 0; row < job.rows; ++row) {
    const T* d = job.d + row * job.row_d;
    for (std::int64_t tap = 0; tap < job.taps; ++tap) {
      T* x = job.x + row * job.row_x + job.offsets[tap];
      const T* weights = job.weights + tap * job.period;
      std::int64_t v = 0;
      by_vectors<T>(job.numbers, [&](std::int64_t i, std::int64_t count) {
        const Vector<T> weight = load(weights + v);
        if (count == kLanes<T>)
          store(x + i, load(x + i) + weight * load(d + i));
        else
          store_some(x + i, load_some(x + i, count) + weight * load_some(d + i, count), count);
        v = v + kLanes<T> == job.period ? 0 : v + kLanes<T>;
      });
    }
  }
}

template <class T>
void depthwise_weights(const DepthwiseWeights<T>& job) {
  // As many taps at once as there are registers for the places that they read.
  for (std::int64_t v = 0; v < job.period; v += kLanes<T>) {
    std::int64_t tap = 0;
    for (; tap + 9 <= job.taps && tap + 16 != job.taps; tap += 9) weights_of<T, 9>(job, tap, v);
    for (; tap + 8 <= job.taps; tap += 8) weights_of<T, 8>(job, tap, v);
    for (; tap + 4 <= job.taps; tap += 4) weights_of<T, 4>(job, tap, v);
    for (; tap < job.taps; ++tap) weights_of<T, 1>(job, tap, v);
  }
}

#define MIXOP_INSTANCES(T)                                       \
  template void depthwise<T>(const Depthwise<T>&);               \
  template void depthwise_scatter<T>(const DepthwiseScatter<T>&); \
  template void depthwise_weights<T>(const DepthwiseWeights<T>&);
MIXOP_INSTANCES(float)
MIXOP_INSTANCES(double)

}  // namespace mixop::cpu::MIXOP_ISA
