#include "host/runtime/fused/cpu/isa.hpp"
#include "host/runtime/fused/cpu/simd.hpp"

namespace mixop::cpu::MIXOP_ISA {
namespace {

/// What the exponential function is made of in a type: e^r - 1 as a polynomial of this degree where |r| <= ln(2) / 2.
template <class T>
struct Exponential;
template <>
struct Exponential<float> {
  static constexpr int kDegree = 7, kMantissa = 23;
  static constexpr float kHigh = 0x1.62e4p-1f, kLow = 0x1.7f7d1cp-20f;  // ln(2) in two parts
  static constexpr float kRounds = 0x1.8p23f;
  static constexpr float kLeast = -87, kLargest = 88;
};
template <>
struct Exponential<double> {
  static constexpr int kDegree = 13, kMantissa = 52;
  static constexpr double kHigh = 0x1.62e42fefap-1, kLow = 0x1.cf79abc9e3b4p-40;
  static constexpr double kRounds = 0x1.8p52;
  static constexpr double kLeast = -708, kLargest = 709;
};

/// e^x = scale * (1 + rest), beyond the range of the type that of its end.
template <class T>
struct Power {
  Vector<T> scale, rest;
  Vector<T> whole() const { return scale + scale * rest; }
  Vector<T> minus_one() const { return scale * rest + (scale - T(1)); }
};

template <class T>
inline Power<T> power_of_e(Vector<T> x) {
  using E = Exponential<T>;
  constexpr double kPerLn2 = 1.44269504088896340736;
  x = x < E::kLeast ? Vector<T>{} + E::kLeast : x;
  x = x > E::kLargest ? Vector<T>{} + E::kLargest : x;
  // Adding kRounds leaves the nearest whole number in the last bits.
  const Vector<T> shifted = x * static_cast<T>(kPerLn2) + E::kRounds;
  const Vector<T> whole = shifted - E::kRounds;
  const Vector<T> r = (x - whole * E::kHigh) - whole * E::kLow;
  double inverse[E::kDegree + 1] = {1};
  MIXOP_UNROLL
  for (int k = 1; k <= E::kDegree; ++k) inverse[k] = inverse[k - 1] / k;
  Vector<T> rest = Vector<T>{} + static_cast<T>(inverse[E::kDegree]);
  MIXOP_UNROLL
  for (int k = E::kDegree - 1; k >= 1; --k) rest = rest * r + static_cast<T>(inverse[k]);
  const Index<T> exponent = (reinterpret_cast<Index<T>>(shifted) << E::kMantissa) +
                            reinterpret_cast<Index<T>>(Vector<T>{} + T(1));
  return {reinterpret_cast<Vector<T>>(exponent), rest * r};
}

template <class T>
inline Vector<T> sigmoid(Vector<T> x) {
  return T(1) / (T(1) + power_of_e<T>(-x).whole());
}

template <class T>
inline Vector<T> tanh(Vector<T> x) {
  const Vector<T> e = power_of_e<T>(x + x).minus_one();
  return e / (e + T(2));
}

template <class T>
struct Value {
  Vector<T> value, slope;
};

template <class T>
inline Value<T> activation(Activation kind, Vector<T> x) {
  const Vector<T> one = Vector<T>{} + T(1);
  switch (kind) {
    case Activation::relu:
      return {relu<T>(x), x > T(0) ? one : Vector<T>{}};
    case Activation::tanh: {
      const Vector<T> y = tanh<T>(x);
      return {y, one - y * y};
    }
    case Activation::sigmoid: {
      const Vector<T> y = sigmoid<T>(x);
      return {y, y * (one - y)};
    }
    case Activation::identity:
      break;
  }
  return {x, one};
}

template <class T>
T sum_of(const T* weights, std::int64_t count) {
  T sum = 0;
  for (std::int64_t k = 0; k < count; ++k) sum += weights[k];
  return sum;
}

}  // namespace

template <class T>
void highway(const Highway<T>& job) {
  const T all = sum_of(job.weights, job.activations);
  for (std::int64_t row = 0; row < job.rows; ++row) {
    const T* gates = job.product + row * 2 * job.width;
    const T* states = job.states + row * job.width;
    T* out = job.out + row * job.width;
    by_vectors<T>(job.width, [&](std::int64_t i, std::int64_t count) {
      const Vector<T> h = some(gates + job.width + i, count), kept = some(states + i, count) * all;
      Vector<T> value = {};
      for (std::int64_t k = 0; k < job.activations; ++k) value += activation<T>(job.kinds[k], h).value * job.weights[k];
      const Vector<T> sum = kept + sigmoid<T>(some(gates + i, count)) * (value - kept);
      put(out + i, job.accumulate ? some(out + i, count) + sum : sum, count);
    });
  }
}

template <class T>
void highway_back(const HighwayBack<T>& job) {
  const T all = sum_of(job.weights, job.activations);
  for (std::int64_t k = 0; k < job.activations; ++k) job.d_weights[k] = 0;
  constexpr std::int64_t kInT = 16 * kLanes<T>;
  for (std::int64_t row = 0; row < job.rows; ++row)
    for (std::int64_t first = 0; first < job.width; first += kInT) {
      const std::int64_t at = row * job.width + first, gate = 2 * at - first;
      Vector<T> weights[kMostActivations] = {};
      by_vectors<T>(job.width - first < kInT ? job.width - first : kInT, [&](std::int64_t i, std::int64_t count) {
        const Vector<T> d = some(job.d + at + i, count), s = some(job.states + at + i, count);
        const Vector<T> c = sigmoid<T>(some(job.product + gate + i, count));
        const Vector<T> h = some(job.product + gate + job.width + i, count);
        const Vector<T> through = d * c, past = d - through;
        Vector<T> value = {}, slope = {};
        for (std::int64_t k = 0; k < job.activations; ++k) {
          const Value<T> one = activation<T>(job.kinds[k], h);
          value += one.value * job.weights[k];
          slope += one.slope * job.weights[k];
          weights[k] += through * one.value + past * s;
        }
        put(job.d_states + at + i, past * all, count);
        put(job.d_product + gate + i, through * (T(1) - c) * (value - s * all), count);
        put(job.d_product + gate + job.width + i, through * slope, count);
      });
      for (std::int64_t k = 0; k < job.activations; ++k)
        for (std::int64_t l = 0; l < kLanes<T>; ++l) job.d_weights[k] += static_cast<double>(weights[k][l]);
    }
}

#define MIXOP_INSTANCES(T)                       \
  template void highway<T>(const Highway<T>&);   \
  template void highway_back<T>(const HighwayBack<T>&);
MIXOP_INSTANCES(float)
MIXOP_INSTANCES(double)

}  // namespace mixop::cpu::MIXOP_ISA
