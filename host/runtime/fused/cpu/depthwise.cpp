#include <algorithm>

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
    MIXOP_UNROLL
    for (int b = 0; b < BLOCKS; ++b) sums[b] += weight * load(from + b * job.period);
  }
  MIXOP_UNROLL
  for (int b = 0; b < BLOCKS; ++b) {
    T* to = out + b * job.period;
    store(to, job.accumulate ? load(to) + sums[b] : sums[b]);
  }
}

/// The `row_out` numbers of one row.
template <class T, int TAPS>
void row_of_windows(const Depthwise<T>& job, const T* x, const T* weights, T* out) {
  constexpr int kBlocks = 8;
  std::int64_t i = 0;
  for (; i + kBlocks * job.period <= job.row_out; i += kBlocks * job.period)
    window<T, TAPS, kBlocks>(job, x + i, weights, out + i);
  for (; i + 2 * job.period <= job.row_out; i += 2 * job.period) window<T, TAPS, 2>(job, x + i, weights, out + i);
  for (; i < job.row_out; i += job.period) window<T, TAPS, 1>(job, x + i, weights, out + i);
}

template <class T, int TAPS>
void windows(const Depthwise<T>& job) {
  for (std::int64_t row = 0; row < job.rows; ++row)
    for (std::int64_t v = 0; v < job.period; v += kLanes<T>)
      row_of_windows<T, TAPS>(job, job.x + row * job.row_x + v, job.weights + v, job.out + row * job.row_out + v);
}

/// How many rows of the output lie between those that read the same rows of the map by neighbouring rows of taps of a
/// KERNEL x KERNEL window; 0 where none do.
template <int KERNEL>
std::int64_t rows_between(std::int64_t taps, const std::int64_t* offsets, std::int64_t row_x) {
  if (taps != KERNEL * KERNEL) return 0;
  const std::int64_t step = offsets[KERNEL] - offsets[0];
  for (int tap = KERNEL; tap < taps; ++tap)
    if (offsets[tap] != offsets[tap % KERNEL] + tap / KERNEL * step) return 0;
  return step % row_x == 0 ? step / row_x : 0;
}

/// ROWS rows of the output, `apart` numbers from each other, BLOCKS vectors of each: what is read of a row of the map
/// serves all of them. Neighbouring rows of taps lie `step` numbers apart. Each sum is taken in the order of the taps.
template <class T, int KERNEL, int ROWS, int BLOCKS>
inline void rows_at_once(const Depthwise<T>& job, std::int64_t step, std::int64_t apart, const T* x, const T* weights,
                         T* out) {
  const std::int64_t period = job.period;
  Vector<T> sums[ROWS][BLOCKS] = {};
  MIXOP_UNROLL
  for (int line = 0; line < ROWS + KERNEL - 1; ++line, x += step)
    for (int column = 0; column < KERNEL; ++column) {
      const T* from = x + job.offsets[column];
      Vector<T> numbers[BLOCKS];
      MIXOP_UNROLL
      for (int b = 0; b < BLOCKS; ++b) numbers[b] = load(from + b * period);
      MIXOP_UNROLL
      for (int row = 0; row < ROWS; ++row) {
        if (line < row || line - row >= KERNEL) continue;
        const Vector<T> weight = load(weights + ((line - row) * KERNEL + column) * period);
        MIXOP_UNROLL
        for (int b = 0; b < BLOCKS; ++b) sums[row][b] += weight * numbers[b];
      }
    }
  MIXOP_UNROLL
  for (int row = 0; row < ROWS; ++row, out += apart)
    MIXOP_UNROLL
    for (int b = 0; b < BLOCKS; ++b) {
      T* to = out + b * period;
      store(to, job.accumulate ? load(to) + sums[row][b] : sums[row][b]);
    }
}

/// Whether rows could be computed together.
template <class T, int KERNEL>
bool try_rows(const Depthwise<T>& job) {
  constexpr int kRows = 4, kBlocks = kRegisters == 32 ? 4 : 2;
  const std::int64_t between = rows_between<KERNEL>(job.taps, job.offsets, job.row_x), period = job.period;
  if (between == 0) return false;
  const std::int64_t step = between * job.row_x, apart = between * job.row_out;
  for (std::int64_t first = 0; first < between; ++first)
    for (std::int64_t v = 0; v < period; v += kLanes<T>) {
      const T* weights = job.weights + v;
      std::int64_t row = first;
      for (; row + (kRows - 1) * between < job.rows; row += kRows * between) {
        const T* x = job.x + row * job.row_x + v;
        T* out = job.out + row * job.row_out + v;
        std::int64_t i = 0;
        for (; i + kBlocks * period <= job.row_out; i += kBlocks * period)
          rows_at_once<T, KERNEL, kRows, kBlocks>(job, step, apart, x + i, weights, out + i);
        for (; i < job.row_out; i += period)
          rows_at_once<T, KERNEL, kRows, 1>(job, step, apart, x + i, weights, out + i);
      }
      for (; row < job.rows; row += between)
        row_of_windows<T, KERNEL * KERNEL>(job, job.x + row * job.row_x + v, weights, job.out + row * job.row_out + v);
    }
  return true;
}

/// How many pixels lie between neighbouring taps of a row, where that is the same for all of a KERNEL x KERNEL window
/// and a pixel is a period; else 0. Such a window slides: what it reads of a pixel serves all its taps of a row.
template <int KERNEL>
std::int64_t step_of(std::int64_t taps, const std::int64_t* offsets, std::int64_t numbers, std::int64_t period) {
  if (taps != KERNEL * KERNEL || numbers % period != 0) return 0;
  const std::int64_t step = offsets[1] - offsets[0];
  for (int tap = 0; tap < taps; ++tap)
    if (offsets[tap] != offsets[tap / KERNEL * KERNEL] + tap % KERNEL * step) return 0;
  return step % period == 0 ? step / period : 0;
}

/// COLUMNS pixels of the output, one vector of each.
template <class T, int KERNEL, int STEP, int COLUMNS>
inline void slide(const Depthwise<T>& job, const T* x, const T* weights, T* out) {
  const std::int64_t period = job.period;
  Vector<T> sums[COLUMNS] = {};
  for (std::int64_t row = 0; row < KERNEL; ++row) {
    Vector<T> factors[KERNEL];
    MIXOP_UNROLL
    for (int k = 0; k < KERNEL; ++k) factors[k] = load(weights + (row * KERNEL + k) * period);
    const T* from = x + job.offsets[row * KERNEL];
    MIXOP_UNROLL
    for (int column = 0; column < COLUMNS + STEP * (KERNEL - 1); ++column, from += period) {
      const Vector<T> number = load(from);
      MIXOP_UNROLL
      for (int k = 0; k < KERNEL; ++k) {
        const int at = column - STEP * k;
        if (at >= 0 && at < COLUMNS) sums[at] += factors[k] * number;
      }
    }
  }
  MIXOP_UNROLL
  for (int b = 0; b < COLUMNS; ++b, out += period) store(out, job.accumulate ? load(out) + sums[b] : sums[b]);
}

template <class T, int KERNEL, int STEP>
void slides(const Depthwise<T>& job) {
  constexpr int kColumns = kRegisters == 32 ? 16 : 8;
  for (std::int64_t row = 0; row < job.rows; ++row)
    for (std::int64_t v = 0; v < job.period; v += kLanes<T>) {
      const T* x = job.x + row * job.row_x + v;
      T* out = job.out + row * job.row_out + v;
      const auto columns = [&]<int COLUMNS>(std::int64_t i) {
        for (; i + COLUMNS * job.period <= job.row_out; i += COLUMNS * job.period)
          slide<T, KERNEL, STEP, COLUMNS>(job, x + i, job.weights + v, out + i);
        return i;
      };
      columns.template operator()<1>(columns.template operator()<8>(columns.template operator()<kColumns>(0)));
    }
}

/// Whether there was a way to slide.
template <class T, int KERNEL>
bool try_slides(const Depthwise<T>& job) {
  const std::int64_t step = step_of<KERNEL>(job.taps, job.offsets, job.row_out, job.period);
  if (step == 1) slides<T, KERNEL, 1>(job);
  if (step == 2) slides<T, KERNEL, 2>(job);
  return step == 1 || step == 2;
}

/// What COLUMNS pixels give to the sums of ROWS rows of taps.
template <class T, int KERNEL, int STEP, int ROWS, int COLUMNS>
inline void slide_sums(Vector<T> (&sums)[ROWS][KERNEL], const std::int64_t* offsets, std::int64_t period, const T* x,
                       const T* d) {
  Vector<T> factors[COLUMNS];
  MIXOP_UNROLL
  for (int b = 0; b < COLUMNS; ++b, d += period) factors[b] = load(d);
  MIXOP_UNROLL
  for (int row = 0; row < ROWS; ++row) {
    const T* from = x + offsets[row * KERNEL];
    MIXOP_UNROLL
    for (int column = 0; column < COLUMNS + STEP * (KERNEL - 1); ++column, from += period) {
      const Vector<T> number = load(from);
      MIXOP_UNROLL
      for (int k = 0; k < KERNEL; ++k) {
        const int at = column - STEP * k;
        if (at >= 0 && at < COLUMNS) sums[row][k] += factors[at] * number;
      }
    }
  }
}

template <class T, int KERNEL, int STEP, int ROWS>
void weight_rows(const DepthwiseWeights<T>& job, std::int64_t first_row, std::int64_t v) {
  constexpr int kColumns = 4;
  const std::int64_t period = job.period;
  const std::int64_t* offsets = job.offsets + first_row * KERNEL;
  Vector<T> sums[ROWS][KERNEL] = {};
  for (std::int64_t row = 0; row < job.rows; ++row) {
    const T *x = job.x + row * job.row_x + v, *d = job.d + row * job.row_d + v;
    std::int64_t i = 0;
    for (; i + kColumns * period <= job.numbers; i += kColumns * period)
      slide_sums<T, KERNEL, STEP, ROWS, kColumns>(sums, offsets, period, x + i, d + i);
    for (; i < job.numbers; i += period) slide_sums<T, KERNEL, STEP, ROWS, 1>(sums, offsets, period, x + i, d + i);
  }
  T* out = job.out + first_row * KERNEL * period + v;
  MIXOP_UNROLL
  for (int row = 0; row < ROWS; ++row)
    MIXOP_UNROLL
    for (int k = 0; k < KERNEL; ++k, out += period) store(out, load(out) + sums[row][k]);
}

/// Whether there was a way to slide.
template <class T, int KERNEL, int STEP>
bool try_slide_weights(const DepthwiseWeights<T>& job) {
  if (step_of<KERNEL>(job.taps, job.offsets, job.numbers, job.period) != STEP) return false;
  constexpr int kRows = KERNEL == 3 || kRegisters == 32 ? KERNEL : 2;  // as many sums as there are registers
  for (std::int64_t v = 0; v < job.period; v += kLanes<T>) {
    std::int64_t row = 0;
    for (; row + kRows <= KERNEL; row += kRows) weight_rows<T, KERNEL, STEP, kRows>(job, row, v);
    for (; row < KERNEL; ++row) weight_rows<T, KERNEL, STEP, 1>(job, row, v);
  }
  return true;
}

/// What one row of the output gives to the sums of one row of taps.
template <class T, int KERNEL>
inline void row_sums(const DepthwiseWeights<T>& job, std::int64_t v, const T* x, const T* d, T* out) {
  Vector<T> sums[KERNEL] = {};
  const auto add = [&](std::int64_t i, auto&& load_at) {
    const Vector<T> factor = load_at(d + i);
    MIXOP_UNROLL
    for (int k = 0; k < KERNEL; ++k) sums[k] += factor * load_at(x + job.offsets[k] + i);
  };
  std::int64_t i = v;
  for (; i + kLanes<T> <= job.numbers; i += job.period) add(i, [](const T* from) { return load(from); });
  if (i < job.numbers) add(i, [&](const T* from) { return load_some(from, job.numbers - i); });
  MIXOP_UNROLL
  for (int k = 0; k < KERNEL; ++k) store(out + k * job.period, load(out + k * job.period) + sums[k]);
}

/// What `lines` rows of the map, `step` numbers apart, give to the sums of all taps with the rows of d that read them,
/// which lie `apart`. The first row of d is that of the last row of taps.
template <class T, int KERNEL>
inline void line_sums(const DepthwiseWeights<T>& job, std::int64_t lines, std::int64_t step, std::int64_t apart,
                      std::int64_t v, const T* x, const T* d, T* out) {
  Vector<T> sums[KERNEL][KERNEL] = {};
  const auto add = [&](std::int64_t i, auto&& load_at) {
    Vector<T> factors[KERNEL];
    MIXOP_UNROLL
    for (int row = 0; row < KERNEL; ++row) factors[row] = load_at(d + (KERNEL - 1 - row) * apart + i);
    MIXOP_UNROLL
    for (int k = 0; k < KERNEL; ++k) {
      const Vector<T> number = load_at(x + job.offsets[k] + i);
      MIXOP_UNROLL
      for (int row = 0; row < KERNEL; ++row) sums[row][k] += factors[row] * number;
    }
  };
  for (; lines > 0; --lines, x += step, d += apart) {
    std::int64_t i = v;
    for (; i + kLanes<T> <= job.numbers; i += job.period) add(i, [](const T* from) { return load(from); });
    if (i < job.numbers) add(i, [&](const T* from) { return load_some(from, job.numbers - i); });
  }
  MIXOP_UNROLL
  for (int row = 0; row < KERNEL; ++row)
    MIXOP_UNROLL
    for (int k = 0; k < KERNEL; ++k, out += job.period) store(out, load(out) + sums[row][k]);
}

/// Whether rows of the map could serve all rows of taps at once.
template <class T, int KERNEL>
bool try_line_sums(const DepthwiseWeights<T>& job) {
  if (KERNEL * (KERNEL + 1) >= kRegisters) return false;
  const std::int64_t between = rows_between<KERNEL>(job.taps, job.offsets, job.row_x);
  if (between == 0) return false;
  const std::int64_t step = between * job.row_x, apart = between * job.row_d;
  for (std::int64_t first = 0; first < std::min(between, job.rows); ++first)
    for (std::int64_t v = 0; v < job.period; v += kLanes<T>) {
      const T *x = job.x + first * job.row_x, *d = job.d + first * job.row_d;
      T* out = job.out + v;
      const std::int64_t rows = (job.rows - first + between - 1) / between;
      const std::int64_t inside = rows - KERNEL + 1;  // rows of the map that all rows of taps read
      if (inside > 0) line_sums<T, KERNEL>(job, inside, step, apart, v, x + (KERNEL - 1) * step, d, out);
      for (std::int64_t tap_row = 0; tap_row < KERNEL; ++tap_row)
        for (std::int64_t row = 0; row < rows; ++row) {
          if (inside > 0 && row + tap_row >= KERNEL - 1 && row + tap_row < rows) continue;
          row_sums<T, KERNEL>(job, v, x + (row + tap_row) * step, d + row * apart,
                              out + tap_row * KERNEL * job.period);
        }
    }
  return true;
}

/// The sums of GROUP taps over all rows, for one vector of the period.
template <class T, int GROUP>
inline void weights_of(const DepthwiseWeights<T>& job, std::int64_t first_tap, std::int64_t v) {
  Vector<T> sums[GROUP] = {};
  for (std::int64_t row = 0; row < job.rows; ++row) {
    const T* d = job.d + row * job.row_d;
    const T* x[GROUP];
    MIXOP_UNROLL
    for (int tap = 0; tap < GROUP; ++tap) x[tap] = job.x + row * job.row_x + job.offsets[first_tap + tap];
    std::int64_t i = v;
    for (; i + kLanes<T> <= job.numbers; i += job.period) {
      const Vector<T> factor = load(d + i);
      MIXOP_UNROLL
      for (int tap = 0; tap < GROUP; ++tap) sums[tap] += factor * load(x[tap] + i);
    }
    if (i >= job.numbers) continue;
    // What lies behind a map may be no number, and zero times it would be none.
    const std::int64_t count = job.numbers - i;
    const Vector<T> factor = load_some(d + i, count);
    MIXOP_UNROLL
    for (int tap = 0; tap < GROUP; ++tap) sums[tap] += factor * load_some(x[tap] + i, count);
  }
  T* out = job.out + first_tap * job.period + v;
  MIXOP_UNROLL
  for (int tap = 0; tap < GROUP; ++tap) store(out + tap * job.period, load(out + tap * job.period) + sums[tap]);
}

}  // namespace

template <class T>
void depthwise(const Depthwise<T>& job) {
  if (try_slides<T, 3>(job) || try_slides<T, 5>(job) || try_rows<T, 3>(job) || try_rows<T, 5>(job)) return;
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
  if (try_slide_weights<T, 3, 1>(job) || try_slide_weights<T, 3, 2>(job) || try_slide_weights<T, 5, 1>(job) ||
      try_slide_weights<T, 5, 2>(job) || try_line_sums<T, 5>(job))
    return;
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
