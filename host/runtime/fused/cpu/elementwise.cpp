#include "host/runtime/fused/cpu/isa.hpp"
#include "host/runtime/fused/cpu/simd.hpp"

namespace mixop::cpu::MIXOP_ISA {
namespace {

template <class T>
void fill(T* to, std::int64_t numbers, T value) {
  const Vector<T> v = Vector<T>{} + value;
  by_vectors<T>(numbers, [&](std::int64_t i, std::int64_t count) {
    count == kLanes<T> ? store(to + i, v) : store_some(to + i, v, count);
  });
}

/// The affine of the numbers from channel position `at` of the period on.
template <class T>
inline Vector<T> before_relu(const Affine<T>& affine, Vector<T> x, std::int64_t at) {
  if (affine.scale != nullptr) x *= load(affine.scale + at);
  if (affine.shift != nullptr) x += load(affine.shift + at);
  return x;
}

/// `numbers` of a run that begins at a multiple of the period, or of single pixels (period >= numbers).
template <class T>
void apply(const Affine<T>& affine, std::int64_t period, const T* x, T* out, std::int64_t numbers) {
  std::int64_t at = 0;
  by_vectors<T>(numbers, [&](std::int64_t i, std::int64_t count) {
    const Vector<T> y = before_relu(affine, some(x + i, count), at);
    put(out + i, affine.relu ? relu<T>(y) : y, count);
    at = at + kLanes<T> == period ? 0 : at + kLanes<T>;
  });
}

/// d where the affine of x is above zero, added to or put in the place of `out`.
template <class T>
void gate(const Unpad<T>& job, const T* d, const T* x, T* out, std::int64_t numbers) {
  std::int64_t at = 0;
  by_vectors<T>(numbers, [&](std::int64_t i, std::int64_t count) {
    Vector<T> y = some(d + i, count);
    if (job.affine.relu) y = before_relu(job.affine, some(x + i, count), at) <= T(0) ? Vector<T>{} : y;
    put(out + i, job.accumulate ? some(out + i, count) + y : y, count);
    at = at + kLanes<T> == job.period ? 0 : at + kLanes<T>;
  });
}

constexpr int kInFloat = 64;  // numbers that are summed before the sum goes on in double

/// A vector of sums in double.
template <class T>
struct Sums {
  double numbers[kLanes<T>] = {};

  void add(Vector<T> more) {
    T lanes[kLanes<T>];
    store(lanes, more);
    for (std::int64_t l = 0; l < kLanes<T>; ++l) numbers[l] += static_cast<double>(lanes[l]);
  }
  /// To the sums of channels, from place `at` of the period on.
  void add_to(double* channels, std::int64_t count, std::int64_t at) const {
    for (std::int64_t l = 0, c = at % count; l < kLanes<T>; ++l, c = c + 1 == count ? 0 : c + 1) channels[c] += numbers[l];
  }
};

}  // namespace

template <class T>
void pad(const Pad<T>& job) {
  const PaddedMap& map = job.map;
  for (std::int64_t r = 0; r < map.rows; ++r) {
    T* row = job.out + r * map.row;
    const std::int64_t y = r - map.top;
    if (y < 0 || y >= map.height) {
      fill(row, map.row, job.border);
      continue;
    }
    const T* x = job.x + y * map.width * map.channels;
    if (map.stride == 1) {
      const std::int64_t before = map.left * map.channels, numbers = map.width * map.channels;
      fill(row, before, job.border);
      apply(job.affine, job.period, x, row + before, numbers);
      fill(row + before + numbers, map.row - before - numbers, job.border);
      continue;
    }
    fill(row, map.row, job.border);
    for (std::int64_t c = 0; c < map.width; ++c) {
      const std::int64_t column = c + map.left;
      apply(job.affine, job.period, x + c * map.channels,
            row + column % map.stride * map.phase + column / map.stride * map.channels, map.channels);
    }
  }
}

template <class T>
void unpad(const Unpad<T>& job) {
  const PaddedMap& map = job.map;
  const std::int64_t numbers = map.width * map.channels;
  for (std::int64_t y = 0; y < map.height; ++y) {
    const T* d = job.d + (y + map.top) * map.row;
    const T* x = job.x + y * numbers;
    T* out = job.out + y * numbers;
    if (map.stride == 1) {
      gate(job, d + map.left * map.channels, x, out, numbers);
      continue;
    }
    for (std::int64_t c = 0; c < map.width; ++c) {
      const std::int64_t column = c + map.left;
      gate(job, d + column % map.stride * map.phase + column / map.stride * map.channels, x + c * map.channels,
           out + c * map.channels, map.channels);
    }
  }
}

template <class T>
void combine(const Combine<T>& job) {
  constexpr int kBlocks = 4;
  constexpr std::int64_t kAhead = 512 / sizeof(T);  // more streams than the machine foresees by itself
  std::int64_t i = 0, at = 0;
  const auto next = [&](std::int64_t place) { return place + kLanes<T> == job.period ? 0 : place + kLanes<T>; };
  for (; i + kBlocks * kLanes<T> <= job.numbers; i += kBlocks * kLanes<T>) {
    std::int64_t places[kBlocks];
    Vector<T> sums[kBlocks];
    for (int b = 0; b < kBlocks; ++b, at = next(at)) {
      places[b] = at;
      sums[b] = job.shift != nullptr ? load(job.shift + at) : Vector<T>{};
      if (job.accumulate) sums[b] += load(job.out + i + b * kLanes<T>);
    }
    for (std::int64_t term = 0; term < job.terms; ++term) {
      const T* scales = job.scales[term];
      const T* x = job.x[term] + i;
      for (int b = 0; b < kBlocks; ++b) {
        __builtin_prefetch(x + kAhead + b * kLanes<T>);
        sums[b] += load(scales + places[b]) * load(x + b * kLanes<T>);
      }
    }
    for (int b = 0; b < kBlocks; ++b) store(job.out + i + b * kLanes<T>, sums[b]);
  }
  for (; i < job.numbers; i += kLanes<T>, at = next(at)) {
    const std::int64_t count = job.numbers - i < kLanes<T> ? job.numbers - i : kLanes<T>;
    Vector<T> sum = job.shift != nullptr ? load(job.shift + at) : Vector<T>{};
    if (job.accumulate) sum += some(job.out + i, count);
    for (std::int64_t term = 0; term < job.terms; ++term)
      sum += load(job.scales[term] + at) * some(job.x[term] + i, count);
    put(job.out + i, sum, count);
  }
}

template <class T>
void dot(const Dot<T>& job) {
  for (std::int64_t c = 0; c < job.channels; ++c) {
    job.dot[c] = 0;
    if (job.sum != nullptr) job.sum[c] = 0;
  }
  constexpr int kChains = 4;  // sums that do not wait for each other
  for (std::int64_t v = 0; v < job.period; v += kLanes<T>) {
    Sums<T> dots, sums;
    std::int64_t i = v;
    const std::int64_t step = kChains * job.period, last = job.numbers - (kChains - 1) * job.period - kLanes<T>;
    while (i <= last) {
      Vector<T> dot[kChains] = {}, sum[kChains] = {};
      for (int held = 0; held < kInFloat / kChains && i <= last; ++held, i += step)
        for (int k = 0; k < kChains; ++k) {
          const Vector<T> d = load(job.d + i + k * job.period);
          dot[k] += d * load(job.x + i + k * job.period);
          if (job.sum != nullptr) sum[k] += d;
        }
      dots.add((dot[0] + dot[1]) + (dot[2] + dot[3]));
      if (job.sum != nullptr) sums.add((sum[0] + sum[1]) + (sum[2] + sum[3]));
    }
    Vector<T> dot = {}, sum = {};
    for (; i < job.numbers; i += job.period) {
      const std::int64_t count = job.numbers - i < kLanes<T> ? job.numbers - i : kLanes<T>;
      const Vector<T> d = some(job.d + i, count);
      dot += d * some(job.x + i, count);
      sum += d;
    }
    dots.add(dot);
    dots.add_to(job.dot, job.channels, v);
    if (job.sum == nullptr) continue;
    sums.add(sum);
    sums.add_to(job.sum, job.channels, v);
  }
}

template <class T>
void max_pool(const MaxPool<T>& job) {
  for (std::int64_t row = 0; row < job.rows; ++row) {
    const T* x = job.x + row * job.row_x;
    by_vectors<T>(job.numbers, [&](std::int64_t i, std::int64_t count) {
      Vector<T> best = load(x + job.offsets[0] + i);
      Index<T> from = {};
      for (std::int64_t tap = 1; tap < job.taps; ++tap) {
        const Vector<T> other = load(x + job.offsets[tap] + i);
        const Index<T> larger = other > best || other != other;
        best = larger ? other : best;
        from = larger ? Index<T>{} + static_cast<int>(tap) : from;
      }
      put(job.out + row * job.row_out + i, best, count);
      std::uint8_t* to = job.from + row * job.row_out + i;
      for (std::int64_t l = 0; l < count; ++l) to[l] = static_cast<std::uint8_t>(from[l]);
    });
  }
}

template <class T>
void max_pool_scatter(const MaxPoolScatter<T>& job) {
  for (std::int64_t row = 0; row < job.rows; ++row) {
    T* x = job.x + row * job.row_x;
    const T* d = job.d + row * job.row_d;
    const std::uint8_t* from = job.from + row * job.row_d;
    for (std::int64_t i = 0; i < job.numbers; ++i) x[job.offsets[from[i]] + i] += d[i];
  }
}

#define MIXOP_INSTANCES(T)                       \
  template void pad<T>(const Pad<T>&);           \
  template void unpad<T>(const Unpad<T>&);       \
  template void combine<T>(const Combine<T>&);   \
  template void dot<T>(const Dot<T>&);           \
  template void max_pool<T>(const MaxPool<T>&);  \
  template void max_pool_scatter<T>(const MaxPoolScatter<T>&);
MIXOP_INSTANCES(float)
MIXOP_INSTANCES(double)

}  // namespace mixop::cpu::MIXOP_ISA
