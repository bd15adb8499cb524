#pragma once

// Vectors of one instruction set: MIXOP_ISA names it, MIXOP_VECTOR_BYTES is the size of its vectors. Everything has
// internal linkage: code of one set must not be taken for that of another by the linker.

#include <cstdint>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

/// Before loops over registers, which are arrays: unrolled early, so that no array comes to lie in memory.
#define MIXOP_UNROLL _Pragma("GCC unroll 32")

namespace mixop::cpu::MIXOP_ISA {
namespace {

constexpr int kRegisters = MIXOP_VECTOR_BYTES == 64 ? 32 : 16;

template <class T>
struct Simd;
template <>
struct Simd<float> {
  typedef float Vector __attribute__((vector_size(MIXOP_VECTOR_BYTES)));
  typedef std::int32_t Index __attribute__((vector_size(MIXOP_VECTOR_BYTES)));
};
template <>
struct Simd<double> {
  typedef double Vector __attribute__((vector_size(MIXOP_VECTOR_BYTES)));
  typedef std::int64_t Index __attribute__((vector_size(MIXOP_VECTOR_BYTES)));
};
template <class T>
using Vector = typename Simd<T>::Vector;
template <class T>
using Index = typename Simd<T>::Index;
template <class T>
constexpr std::int64_t kLanes = MIXOP_VECTOR_BYTES / static_cast<std::int64_t>(sizeof(T));

template <class T>
inline Vector<T> load(const T* from) {
  Vector<T> v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class T>
inline void store(T* to, Vector<T> v) {
  __builtin_memcpy(to, &v, sizeof v);
}

/// The first `count` numbers, zeros behind them.
template <class T>
inline Vector<T> load_some(const T* from, std::int64_t count) {
#if MIXOP_VECTOR_BYTES == 64
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1u), from);
  else
    return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1u), from);
#else
  Vector<T> v = {};
  for (std::int64_t i = 0; i < count; ++i) v[i] = from[i];
  return v;
#endif
}

template <class T>
inline void store_some(T* to, Vector<T> v, std::int64_t count) {
#if MIXOP_VECTOR_BYTES == 64
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1u), v);
  else
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << count) - 1u), v);
#else
  T numbers[kLanes<T>];
  store(numbers, v);
  for (std::int64_t i = 0; i < count; ++i) to[i] = numbers[i];
#endif
}

/// As many as there are up to a vector.
template <class T>
inline Vector<T> some(const T* from, std::int64_t count) {
  return count == kLanes<T> ? load(from) : load_some(from, count);
}

template <class T>
inline void put(T* to, Vector<T> v, std::int64_t count) {
  count == kLanes<T> ? store(to, v) : store_some(to, v, count);
}

/// Lane i of the result is lane index[i].
template <class T>
inline Vector<T> permute(Vector<T> v, Index<T> index) {
  return __builtin_shuffle(v, index);
}

/// Zero for numbers below zero; what is not a number stays so.
template <class T>
inline Vector<T> relu(Vector<T> v) {
  return v < T(0) ? Vector<T>{} : v;
}

/// Runs f over [0, numbers) by vectors: f(position, how many of its lanes count).
template <class T, class F>
inline void by_vectors(std::int64_t numbers, F&& f) {
  std::int64_t i = 0;
  for (; i + kLanes<T> <= numbers; i += kLanes<T>) f(i, kLanes<T>);
  if (i < numbers) f(i, numbers - i);
}

}  // namespace
}  // namespace mixop::cpu::MIXOP_ISA
