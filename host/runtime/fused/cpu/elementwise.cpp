#include <algorithm>

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

/// How far ahead of where it reads a kernel asks for memory: maps of a batch lie behind the caches, and what the
/// machine foresees by itself ends with each page.
template <class T>
constexpr std::int64_t kAhead = 1024 / static_cast<std::int64_t>(sizeof(T));

/// The affine of the numbers from one place of the period on, its product rounded before the sum with every instruction
/// set: a relu must not cut other numbers with one than with another. PRESENT: whether there is one.
template <class T, bool PRESENT>
struct AffineAt {
  AffineAt(const Affine<T>& affine, std::int64_t at) {
    if constexpr (!PRESENT) return;
    scale = load(affine.scale + at);
    shift = load(affine.shift + at);
  }
  Vector<T> operator()(Vector<T> x) const {
    if constexpr (PRESENT) return __builtin_assoc_barrier(scale * x) + shift;
    return x;
  }
  Vector<T> scale{}, shift{};
};

/// Runs f(position, how many of its lanes count, the affine there) over [0, numbers): a run that begins at a multiple
/// of the period, or single pixels (period >= numbers).
template <class T, bool PRESENT, class F>
inline void by_places(const Affine<T>& affine, std::int64_t period, std::int64_t numbers, F&& f) {
  if (period == kLanes<T>) {
    const AffineAt<T, PRESENT> everywhere(affine, 0);
    by_vectors<T>(numbers, [&](std::int64_t i, std::int64_t count) { f(i, count, everywhere); });
    return;
  }
  std::int64_t at = 0;
  by_vectors<T>(numbers, [&](std::int64_t i, std::int64_t count) {
    f(i, count, AffineAt<T, PRESENT>(affine, at));
    at = at + kLanes<T> == period ? 0 : at + kLanes<T>;
  });
}

template <class T, bool PRESENT>
void apply(const Affine<T>& affine, std::int64_t period, const T* x, T* out, std::int64_t numbers) {
  const auto run = [&]<bool RELU>() {
    by_places<T, PRESENT>(affine, period, numbers, [&](std::int64_t i, std::int64_t count, const auto& own) {
      __builtin_prefetch(x + i + kAhead<T>);
      const Vector<T> y = own(some(x + i, count));
      put(out + i, RELU ? relu<T>(y) : y, count);
    });
  };
  affine.relu ? run.template operator()<true>() : run.template operator()<false>();
}

/// d where the affine of x is above zero, added to or put in the place of `out`.
template <class T, bool PRESENT>
void gate(const Unpad<T>& job, const T* d, const T* x, T* out, std::int64_t numbers) {
  const auto run = [&]<bool RELU, bool ACCUMULATE>() {
    by_places<T, PRESENT>(job.affine, job.period, numbers, [&](std::int64_t i, std::int64_t count, const auto& own) {
      Vector<T> y = some(d + i, count);
      if constexpr (RELU) {
        __builtin_prefetch(x + i + kAhead<T>);
        y = own(some(x + i, count)) <= T(0) ? Vector<T>{} : y;
      }
      if constexpr (ACCUMULATE) y += some(out + i, count);
      put(out + i, y, count);
    });
  };
  if (job.affine.relu)
    job.accumulate ? run.template operator()<true, true>() : run.template operator()<true, false>();
  else
    job.accumulate ? run.template operator()<false, true>() : run.template operator()<false, false>();
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

/// What the numbers from place `v` of the period on give to the sums. SUM: whether that of d is wanted.
template <class T, bool SUM>
void dot_at(const Dot<T>& job, std::int64_t v) {
  constexpr int kChains = 4;  // sums that do not wait for each other
  const std::int64_t period = job.period;
  const T *d = job.d + v, *x = job.x + v;
  std::int64_t left = job.numbers - v;
  Sums<T> dots, sums;
  const auto vectors = [&] { return left < kLanes<T> ? 0 : (left - kLanes<T>) / period + 1; };
  while (vectors() >= kChains) {
    Vector<T> dot[kChains] = {}, sum[kChains] = {};
    const std::int64_t rounds = std::min<std::int64_t>(vectors(), kInFloat) / kChains;
    for (std::int64_t round = 0; round < rounds; ++round, d += kChains * period, x += kChains * period) {
      MIXOP_UNROLL
      for (int k = 0; k < kChains; ++k) {
        __builtin_prefetch(x + k * period + kAhead<T>);
        const Vector<T> number = load(d + k * period);
        dot[k] += number * load(x + k * period);
        if constexpr (SUM) sum[k] += number;
      }
    }
    left -= rounds * kChains * period;
    dots.add((dot[0] + dot[1]) + (dot[2] + dot[3]));
    if constexpr (SUM) sums.add((sum[0] + sum[1]) + (sum[2] + sum[3]));
  }
  Vector<T> dot = {}, sum = {};
  for (; left > 0; left -= period, d += period, x += period) {
    const std::int64_t count = left < kLanes<T> ? left : kLanes<T>;
    const Vector<T> number = some(d, count);
    dot += number * some(x, count);
    sum += number;
  }
  dots.add(dot);
  dots.add_to(job.dot, job.channels, v);
  if constexpr (!SUM) return;
  sums.add(sum);
  sums.add_to(job.sum, job.channels, v);
}

template <class T, bool PRESENT>
void pad_all(const Pad<T>& job) {
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
      apply<T, PRESENT>(job.affine, job.period, x, row + before, numbers);
      fill(row + before + numbers, map.row - before - numbers, job.border);
      continue;
    }
    fill(row, map.row, job.border);
    for (std::int64_t c = 0; c < map.width; ++c) {
      const std::int64_t column = c + map.left;
      apply<T, PRESENT>(job.affine, job.period, x + c * map.channels,
                        row + column % map.stride * map.phase + column / map.stride * map.channels, map.channels);
    }
  }
}

template <class T, bool PRESENT>
void unpad_all(const Unpad<T>& job) {
  const PaddedMap& map = job.map;
  const std::int64_t numbers = map.width * map.channels;
  for (std::int64_t y = 0; y < map.height; ++y) {
    const T* d = job.d + (y + map.top) * map.row;
    const T* x = job.x + y * numbers;
    T* out = job.out + y * numbers;
    if (map.stride == 1) {
      gate<T, PRESENT>(job, d + map.left * map.channels, x, out, numbers);
      continue;
    }
    for (std::int64_t c = 0; c < map.width; ++c) {
      const std::int64_t column = c + map.left;
      gate<T, PRESENT>(job, d + column % map.stride * map.phase + column / map.stride * map.channels,
                       x + c * map.channels, out + c * map.channels, map.channels);
    }
  }
}

}  // namespace

template <class T>
void pad(const Pad<T>& job) {
  job.affine.scale != nullptr ? pad_all<T, true>(job) : pad_all<T, false>(job);
}

template <class T>
void unpad(const Unpad<T>& job) {
  job.affine.scale != nullptr ? unpad_all<T, true>(job) : unpad_all<T, false>(job);
}

template <class T>
void combine(const Combine<T>& job) {
  constexpr int kBlocks = 4;
  constexpr std::int64_t kNear = kAhead<T> / 2;  // of many maps at once
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
        __builtin_prefetch(x + kNear + b * kLanes<T>);
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
  for (std::int64_t v = 0; v < job.period; v += kLanes<T>)
    job.sum != nullptr ? dot_at<T, true>(job, v) : dot_at<T, false>(job, v);
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
