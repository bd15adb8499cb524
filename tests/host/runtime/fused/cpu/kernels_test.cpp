#include "host/runtime/fused/cpu/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "mixop/error.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;
using namespace mixop::cpu;
using Offsets = std::vector<std::int64_t>;

std::mt19937& generator() {
  static std::mt19937 made(17);
  return made;
}

/// Numbers between -1 and 1, with room behind them that kernels may read and that holds what is not a number.
template <class T>
std::vector<T> numbers(std::int64_t count, std::int64_t room) {
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> made(static_cast<std::size_t>(count + room), std::numeric_limits<T>::quiet_NaN());
  for (std::int64_t i = 0; i < count; ++i) made[static_cast<std::size_t>(i)] = static_cast<T>(uniform(generator()));
  return made;
}

template <class T>
std::vector<T> tile(const std::vector<T>& channels, std::int64_t count, std::int64_t period) {
  std::vector<T> made(static_cast<std::size_t>(period));
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = channels[i % static_cast<std::size_t>(count)];
  return made;
}

template <class T>
double off(T found, double expected) {
  if (std::isnan(found) != std::isnan(expected)) return 1e9;
  return std::abs(static_cast<double>(found) - expected) / (1 + std::abs(expected));
}

template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 5e-5 : 1e-12;

/// A window over a map of one image.
struct Shape {
  std::int64_t height, width, channels, kernel, stride, dilation;
  std::int64_t padding() const { return dilation * (kernel - 1) / 2; }
  std::int64_t out(std::int64_t size) const { return (size + 2 * padding() - dilation * (kernel - 1) - 1) / stride + 1; }
};

const Shape kShapes[] = {{1, 1, 1, 1, 1, 1},   {5, 7, 2, 3, 1, 1},  {7, 5, 3, 3, 2, 1},  {8, 8, 4, 5, 1, 2},
                         {9, 4, 8, 5, 2, 1},   {3, 2, 5, 5, 1, 4},  {6, 6, 16, 3, 1, 1}, {33, 3, 67, 3, 2, 2},
                         {4, 17, 36, 5, 1, 1}, {8, 8, 64, 3, 1, 2},  {11, 3, 20, 1, 2, 1}, {13, 33, 4, 5, 1, 1},
                         {11, 20, 2, 5, 1, 2}, {9, 21, 3, 3, 1, 1}, {17, 34, 1, 3, 1, 2}, {23, 9, 6, 5, 1, 4}};

template <class T>
struct Window {
  Window(const Kernels<T>& kernels, const Shape& shape) : period(kernels.period(shape.channels)) {
    const std::int64_t reach = shape.dilation * (shape.kernel - 1);
    height = shape.out(shape.height);
    width = shape.out(shape.width);
    map = {shape.height, shape.width, shape.channels, shape.padding(), shape.padding(), shape.stride, 0, 0, 0};
    map.rows = std::max(shape.padding() + shape.height, (height - 1) * shape.stride + reach + 1);
    const std::int64_t columns = std::max(shape.padding() + shape.width, (width - 1) * shape.stride + reach + 1);
    map.phase = ((columns + shape.stride - 1) / shape.stride * shape.channels + period - 1) / period * period;
    map.row = map.phase * shape.stride;
    for (std::int64_t i = 0; i < shape.kernel; ++i)
      for (std::int64_t j = 0; j < shape.kernel; ++j)
        offsets.push_back(map.offset(i * shape.dilation, j * shape.dilation));
    room = period + kSlack;
  }
  std::int64_t taps() const { return static_cast<std::int64_t>(offsets.size()); }
  std::int64_t row() const { return map.row * map.stride; }
  /// The place of a number of the output's row `y`, `i`th of it, under a tap.
  std::size_t place(std::int64_t y, std::int64_t tap, std::int64_t i) const {
    return static_cast<std::size_t>(y * row() + offsets[static_cast<std::size_t>(tap)] + i);
  }
  std::int64_t period, height = 0, width = 0, room = 0;
  PaddedMap map;
  Offsets offsets;
};

/// Runs the check for every instruction set, both types and all shapes.
template <class Check>
void everywhere(const Check& check) {
  for (const std::string& set : instruction_sets())
    for (const Shape& shape : kShapes) {
      INFO(set << ": " << shape.height << "x" << shape.width << ", " << shape.channels << " channels, window "
               << shape.kernel << ", stride " << shape.stride << ", dilation " << shape.dilation);
      check(kernels_of<float>(set), shape);
      check(kernels_of<double>(set), shape);
    }
}

TEST_CASE("a padded copy holds each pixel in its place, normalised, and the border elsewhere", "[runtime][fused]") {
  everywhere([]<class T>(const Kernels<T>& k, const Shape& shape) {
    const Window<T> window(k, shape);
    const PaddedMap& map = window.map;
    const std::int64_t count = shape.height * shape.width * shape.channels;
    const std::vector<T> x = numbers<T>(count, 0), scale = numbers<T>(shape.channels, 0),
                         shift = numbers<T>(shape.channels, 0);
    const std::vector<T> scales = tile(scale, shape.channels, window.period),
                         shifts = tile(shift, shape.channels, window.period);
    for (const bool relu : {true, false}) {
      std::vector<T> padded = numbers<T>(map.numbers(), window.room), back(static_cast<std::size_t>(count) + 1, T(7));
      k.pad({map, window.period, {scales.data(), shifts.data(), relu}, T(-3), x.data(), padded.data()});
      std::vector<double> expected(static_cast<std::size_t>(map.numbers()), -3);
      for (std::int64_t y = 0; y < shape.height; ++y)
        for (std::int64_t c = 0; c < shape.width; ++c)
          for (std::int64_t i = 0; i < shape.channels; ++i) {
            const auto from = static_cast<std::size_t>((y * shape.width + c) * shape.channels + i);
            const double value = static_cast<double>(x[from]) * static_cast<double>(scale[static_cast<std::size_t>(i)]) +
                                 static_cast<double>(shift[static_cast<std::size_t>(i)]);
            expected[static_cast<std::size_t>(map.offset(y + map.top, c + map.left) + i)] =
                relu ? std::max(0.0, value) : value;
          }
      double worst = 0;
      for (std::size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, off(padded[i], expected[i]));
      CHECK(worst < kTolerance<T>);
      // And back: what lies in the border is left out, what the relu cut has no gradient.
      k.unpad({map, window.period, {scales.data(), shifts.data(), relu}, true, padded.data(), x.data(), back.data()});
      worst = 0;
      for (std::int64_t y = 0; y < shape.height; ++y)
        for (std::int64_t c = 0; c < shape.width * shape.channels; ++c) {
          const auto at = static_cast<std::size_t>(y * shape.width * shape.channels + c);
          const double value =
              expected[static_cast<std::size_t>(map.offset(y + map.top, c / shape.channels + map.left) + c % shape.channels)];
          worst = std::max(worst, off(back[at], 7 + value));
        }
      CHECK(worst < kTolerance<T>);
      CHECK(back.back() == T(7));
    }
  });
}

TEST_CASE("a depthwise convolution, its transpose and the gradient of its weights", "[runtime][fused]") {
  everywhere([]<class T>(const Kernels<T>& k, const Shape& shape) {
    const Window<T> window(k, shape);
    const std::int64_t taps = window.taps(), count = window.width * shape.channels;
    const std::int64_t row = (count + window.period - 1) / window.period * window.period;
    const std::vector<T> x = numbers<T>(window.map.numbers(), window.room);
    std::vector<T> weights, d(static_cast<std::size_t>(window.height * row + window.room), T(0));
    for (std::int64_t tap = 0; tap < taps; ++tap)
      for (const T weight : tile(numbers<T>(shape.channels, 0), shape.channels, window.period)) weights.push_back(weight);
    for (std::int64_t y = 0; y < window.height; ++y) {
      const std::vector<T> own = numbers<T>(count, 0);
      std::copy(own.begin(), own.end(), d.begin() + y * row);
    }
    std::vector<T> out(static_cast<std::size_t>(window.height * row + window.room), T(0)), sums(weights.size(), T(0));
    std::vector<T> spread(static_cast<std::size_t>(window.map.numbers() + window.room), T(0));
    for (const bool accumulate : {false, true})
      k.depthwise({window.height, window.row(), row, window.period, taps, window.offsets.data(), weights.data(),
                   accumulate, x.data(), out.data()});
    k.depthwise_scatter({window.height, window.row(), row, count, window.period, taps, window.offsets.data(),
                         weights.data(), d.data(), spread.data()});
    k.depthwise_weights({window.height, window.row(), row, count, window.period, taps, window.offsets.data(), x.data(),
                         d.data(), sums.data()});
    std::vector<double> scattered(spread.size(), 0), summed(static_cast<std::size_t>(taps * shape.channels), 0);
    double worst = 0;
    for (std::int64_t y = 0; y < window.height; ++y)
      for (std::int64_t i = 0; i < count; ++i) {
        double sum = 0;
        const double factor = static_cast<double>(d[static_cast<std::size_t>(y * row + i)]);
        for (std::int64_t tap = 0; tap < taps; ++tap) {
          const double weight = static_cast<double>(weights[static_cast<std::size_t>(tap * window.period + i % window.period)]);
          const double number = static_cast<double>(x[window.place(y, tap, i)]);
          sum += weight * number;
          scattered[window.place(y, tap, i)] += weight * factor;
          summed[static_cast<std::size_t>(tap * shape.channels + i % shape.channels)] += factor * number;
        }
        worst = std::max(worst, off(out[static_cast<std::size_t>(y * row + i)], 2 * sum));
      }
    CHECK(worst < kTolerance<T>);
    worst = 0;
    for (std::size_t i = 0; i < scattered.size(); ++i) worst = std::max(worst, off(spread[i], scattered[i]));
    CHECK(worst < kTolerance<T>);
    worst = 0;
    for (std::int64_t tap = 0; tap < taps; ++tap)
      for (std::int64_t c = 0; c < shape.channels; ++c) {
        double sum = 0;
        for (std::int64_t i = c; i < window.period; i += shape.channels)
          sum += static_cast<double>(sums[static_cast<std::size_t>(tap * window.period + i)]);
        worst = std::max(worst, off(static_cast<T>(sum), summed[static_cast<std::size_t>(tap * shape.channels + c)]));
      }
    CHECK(worst < kTolerance<T>);
  });
}

TEST_CASE("a dense convolution and the gradient of its weights, into any number of channels", "[runtime][fused]") {
  everywhere([]<class T>(const Kernels<T>& k, const Shape& shape) {
    const Window<T> window(k, shape);
    for (const std::int64_t out : {std::int64_t{1}, shape.channels, 2 * shape.channels + 1, std::int64_t{48}}) {
      INFO(out << " channels out");
      const std::int64_t in = shape.channels, taps = window.taps(), rounded = k.rounded(out);
      const std::vector<T> x = numbers<T>(window.map.numbers(), window.room);
      const std::vector<T> weights = numbers<T>(taps * in * rounded, 0);
      const std::vector<T> d = numbers<T>(window.height * window.width * out, window.room);
      std::vector<T> y(static_cast<std::size_t>(window.height * window.width * out) + 1, T(5)), sums(weights.size(), T(0));
      for (const bool accumulate : {false, true})
        k.convolve({window.height, window.width, window.row(), in, window.width * out, out, in, out, taps,
                    window.offsets.data(), weights.data(), accumulate, x.data(), y.data()});
      k.convolve_weights({window.height, window.width, window.row(), in, window.width * out, out, in, out, taps,
                          window.offsets.data(), x.data(), d.data(), sums.data()});
      std::vector<double> summed(sums.size(), 0);
      double worst = 0;
      for (std::int64_t row = 0; row < window.height; ++row)
        for (std::int64_t p = 0; p < window.width; ++p)
          for (std::int64_t o = 0; o < out; ++o) {
            const auto at = static_cast<std::size_t>((row * window.width + p) * out + o);
            double sum = 0;
            for (std::int64_t tap = 0; tap < taps; ++tap)
              for (std::int64_t i = 0; i < in; ++i) {
                const double number = static_cast<double>(x[window.place(row, tap, p * in + i)]);
                const auto weight = static_cast<std::size_t>((tap * in + i) * rounded + o);
                sum += number * static_cast<double>(weights[weight]);
                summed[weight] += number * static_cast<double>(d[at]);
              }
            worst = std::max(worst, off(y[at], 2 * sum));
          }
      CHECK(worst < kTolerance<T>);
      CHECK(y.back() == T(5));
      worst = 0;
      for (std::int64_t row = 0; row < taps * in; ++row)
        for (std::int64_t o = 0; o < out; ++o) {
          const auto at = static_cast<std::size_t>(row * rounded + o);
          worst = std::max(worst, off(sums[at], summed[at]));
        }
      CHECK(worst < kTolerance<T>);
    }
  });
}

TEST_CASE("weighted sums and sums by channel", "[runtime][fused]") {
  everywhere([]<class T>(const Kernels<T>& k, const Shape& shape) {
    const std::int64_t count = shape.height * shape.width * shape.channels, period = k.period(shape.channels);
    std::vector<std::vector<T>> x, scales;
    std::vector<const T*> from, factors;
    for (int term = 0; term < 3; ++term) {
      x.push_back(numbers<T>(count, 0));
      scales.push_back(tile(numbers<T>(shape.channels, 0), shape.channels, period));
    }
    for (int term = 0; term < 3; ++term) {
      from.push_back(x[static_cast<std::size_t>(term)].data());
      factors.push_back(scales[static_cast<std::size_t>(term)].data());
    }
    const std::vector<T> shift = tile(numbers<T>(shape.channels, 0), shape.channels, period);
    std::vector<T> out(static_cast<std::size_t>(count) + 1, T(2));
    k.combine({count, period, 3, from.data(), factors.data(), shift.data(), /*accumulate=*/true, out.data()});
    std::vector<double> sum(static_cast<std::size_t>(shape.channels)), dot(sum.size()), sums(sum.size(), 0), dots(sum.size(), 0);
    k.dot({count, shape.channels, period, x[0].data(), x[1].data(), sum.data(), dot.data()});
    double worst = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const std::size_t c = i % static_cast<std::size_t>(shape.channels);
      double expected = 2 + static_cast<double>(shift[c]);
      for (std::size_t term = 0; term < 3; ++term)
        expected += static_cast<double>(scales[term][c]) * static_cast<double>(x[term][i]);
      worst = std::max(worst, off(out[i], expected));
      sums[c] += static_cast<double>(x[0][i]);
      dots[c] += static_cast<double>(x[0][i]) * static_cast<double>(x[1][i]);
    }
    CHECK(worst < kTolerance<T>);
    CHECK(out.back() == T(2));
    worst = 0;
    for (std::size_t c = 0; c < sums.size(); ++c)
      worst = std::max({worst, off(static_cast<T>(sum[c]), sums[c]), off(static_cast<T>(dot[c]), dots[c])});
    CHECK(worst < kTolerance<T>);
  });
}

TEST_CASE("a max pool takes the first of the largest, and gives the gradient back to it", "[runtime][fused]") {
  everywhere([]<class T>(const Kernels<T>& k, const Shape& shape) {
    const Window<T> window(k, shape);
    const std::int64_t count = window.width * shape.channels, taps = window.taps();
    std::vector<T> x = numbers<T>(window.map.numbers(), window.room);
    for (std::size_t i = 0; i < static_cast<std::size_t>(window.map.numbers()); ++i)
      x[i] = std::floor(x[i] * 3);  // many are equal
    const std::vector<T> d = numbers<T>(window.height * count, 0);
    std::vector<T> out(d.size() + 1, T(9)), spread(x.size(), T(0));
    std::vector<std::uint8_t> from(d.size() + 1, 99);
    k.max_pool({window.height, count, window.row(), count, taps, window.offsets.data(), x.data(), out.data(), from.data()});
    k.max_pool_scatter({window.height, count, window.row(), count, taps, window.offsets.data(), d.data(), from.data(),
                        spread.data()});
    std::vector<double> expected(spread.size(), 0);
    std::size_t wrong = 0;
    for (std::int64_t y = 0; y < window.height; ++y)
      for (std::int64_t i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(y * count + i);
        std::int64_t best = 0;
        for (std::int64_t tap = 1; tap < taps; ++tap)
          if (x[window.place(y, tap, i)] > x[window.place(y, best, i)]) best = tap;
        wrong += from[at] != best || out[at] != x[window.place(y, best, i)] ? 1 : 0;
        expected[window.place(y, best, i)] += static_cast<double>(d[at]);
      }
    CHECK(wrong == 0);
    CHECK(out.back() == T(9));
    CHECK(from.back() == 99);
    double worst = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(window.map.numbers()); ++i)
      worst = std::max(worst, off(spread[i], expected[i]));
    CHECK(worst < kTolerance<T>);
  });
}

/// A recurrent node of one source, in double: weights, states and product as the kernel takes them.
struct Node {
  std::int64_t rows, width;
  std::vector<double> weights, states, product;

  static double activation(std::size_t kind, double h) {
    return kind == 0 ? h : kind == 1 ? std::max(h, 0.0) : kind == 2 ? std::tanh(h) : 1 / (1 + std::exp(-h));
  }
  double out(std::int64_t row, std::int64_t i) const {
    const auto at = static_cast<std::size_t>(row * 2 * width + i);
    const double state = states[static_cast<std::size_t>(row * width + i)], gate = 1 / (1 + std::exp(-product[at]));
    double sum = 0;
    for (std::size_t k = 0; k < 4; ++k)
      sum += weights[k] * (state + gate * (activation(k, product[at + static_cast<std::size_t>(width)]) - state));
    return sum;
  }
  /// The derivative of sum(d * out) by one of the numbers.
  double slope(std::vector<double> Node::*of, std::size_t at, const std::vector<double>& d) const {
    constexpr double kStep = 1e-5;
    double change = 0;
    for (const double side : {1.0, -1.0}) {
      Node moved = *this;
      (moved.*of)[at] += side * kStep;
      for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t i = 0; i < width; ++i)
          change += side * d[static_cast<std::size_t>(row * width + i)] * moved.out(row, i);
    }
    return change / (2 * kStep);
  }
};

TEST_CASE("a source of a recurrent node and its gradients", "[runtime][fused]") {
  const Activation kinds[] = {Activation::identity, Activation::relu, Activation::tanh, Activation::sigmoid};
  const auto check = [&]<class T>(const Kernels<T>& k, std::int64_t width) {
    const std::int64_t rows = 2, count = rows * width;
    const std::vector<T> weights = numbers<T>(4, 0), states = numbers<T>(count, 0), d = numbers<T>(count, 0);
    std::vector<T> product = numbers<T>(2 * count, 0), out(static_cast<std::size_t>(count) + 1, T(5));
    for (T& number : product) number *= T(6);
    k.highway({rows, width, 4, kinds, weights.data(), states.data(), product.data(), true, out.data()});
    const Node node{rows, width, {weights.begin(), weights.end()}, {states.begin(), states.end()}, {product.begin(), product.end()}};
    double worst = 0;
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t i = 0; i < width; ++i)
        worst = std::max(worst, off(out[static_cast<std::size_t>(row * width + i)], 5 + node.out(row, i)));
    CHECK(worst < kTolerance<T>);
    CHECK(out.back() == T(5));
    std::vector<T> d_states(states.size() + 1, T(9)), d_product(product.size() + 1, T(9));
    std::vector<double> d_weights(4, 9);
    k.highway_back({rows, width, 4, kinds, weights.data(), states.data(), product.data(), d.data(), d_states.data(),
                    d_product.data(), d_weights.data()});
    const std::vector<double> from(d.begin(), d.end());
    worst = 0;
    for (std::size_t i = 0; i < states.size(); ++i)
      worst = std::max(worst, off(d_states[i], node.slope(&Node::states, i, from)));
    for (std::size_t i = 0; i < product.size(); ++i)
      worst = std::max(worst, off(d_product[i], node.slope(&Node::product, i, from)));
    for (std::size_t i = 0; i < 4; ++i) worst = std::max(worst, off(d_weights[i], node.slope(&Node::weights, i, from)));
    CHECK(worst < std::max(kTolerance<T>, 1e-8));  // what the differences are off by
    CHECK(d_states.back() == T(9));
    CHECK(d_product.back() == T(9));
  };
  for (const std::string& set : instruction_sets())
    for (const std::int64_t width : {1, 16, 37}) {
      INFO(set << ", width " << width);
      check(kernels_of<float>(set), width);
      check(kernels_of<double>(set), width);
    }
}

TEST_CASE("activations far from zero are at their limits", "[runtime][fused]") {
  const auto check = []<class T>(const Kernels<T>& k) {
    const std::vector<T> far{T(-1e30), T(-800), T(-100), T(100), T(800), T(1e30), std::numeric_limits<T>::infinity(),
                             std::numeric_limits<T>::quiet_NaN()};
    const auto width = static_cast<std::int64_t>(far.size());
    const T one = 1;
    for (const Activation kind : {Activation::tanh, Activation::sigmoid}) {
      std::vector<T> product(far.size(), T(1000)), states(far.size(), T(0)), out(far.size());  // gates are open
      product.insert(product.end(), far.begin(), far.end());
      k.highway({1, width, 1, &kind, &one, states.data(), product.data(), false, out.data()});
      for (std::size_t i = 0; i < far.size(); ++i) {
        const double h = static_cast<double>(far[i]);
        const double limit = kind == Activation::tanh ? std::tanh(h) : 1 / (1 + std::exp(-h));
        if (std::isnan(limit))
          CHECK(std::isnan(out[i]));
        else
          CHECK(off(out[i], limit) < kTolerance<T> / 10);
      }
    }
  };
  for (const std::string& set : instruction_sets()) {
    INFO(set);
    check(kernels_of<float>(set));
    check(kernels_of<double>(set));
  }
}

TEST_CASE("an instruction set that the machine lacks is refused with those that it has", "[runtime][fused]") {
  CHECK(instruction_sets().front() == "generic");
  CHECK_THROWS_WITH(kernels_of<float>("avx1024"),
                    Catch::Contains("expected an instruction set that this machine has (generic") &&
                        Catch::Contains("found 'avx1024'"));
}

}  // namespace
