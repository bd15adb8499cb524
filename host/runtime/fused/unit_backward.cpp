#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>

#include "host/runtime/fused/packed.hpp"
#include "host/runtime/fused/unit_images.hpp"
#include "host/runtime/fused/unit_run.hpp"

namespace mixop {
namespace {

/// Over how many groups of images sums of weights' gradients are taken.
constexpr std::int64_t kGroups = 16;

/// The coefficients of a norm's backward pass: d y = scale * g + slope * y + constant, by channel.
struct NormGradient {
  std::vector<double> scale, slope, constant, weight, bias;
};

}  // namespace

/// The backward pass over single images.
template <class T>
class UnitRun<T>::Backward {
 public:
  Backward(const UnitRun& run, const Forward& forward, std::vector<GradientTerm<T>>& terms, const InputGradient<T>& input,
           bool weights)
      : run_(run),
        forward_(forward),
        unit_(*run.unit_),
        k_(*run.k_),
        reading_(run.reading_),
        terms_(terms),
        input_(input),
        weights_(weights && unit_.kind == Unit::Kind::convolution),
        in_(run.x_.channels),
        out_(run.channels_),
        period_(k_.period(in_)),
        row_y_(reading_.width * out_) {
    const std::vector<Window> windows = unit_.windows();
    gathers_ = windows.size() == 1 && unit_.kind != Unit::Kind::max_pool && has_transposed(windows.front());
    if (gathers_) {
      const std::int64_t channels = unit_.window ? in_ : out_;
      back_ = reading_of(reading_.height, reading_.width, channels, {transposed(windows.front())}, k_.period(channels));
      result_ = cpu::plain_map(run.x_.height, run.x_.width, in_, period_);
    } else {
      result_ = reading_.map;
      if (unit_.window) back_.map = forward.middle_map();
    }
    if (unit_.kind == Unit::Kind::avg_pool) {
      depthwise_.assign(static_cast<std::size_t>(unit_.window->taps() * period_), T(1));
      inverse_counts_ = inverse_counts(reading_, *unit_.window);
    } else if (unit_.depthwise.defined()) {
      depthwise_ = packed_depthwise<T>(unit_.depthwise, k_, /*flipped=*/gathers_);
    }
    for (const Unit::Part& part : unit_.parts)
      parts_.push_back(packed_dense<T>(part.weight, k_, /*transposed=*/true, /*flipped=*/gathers_ && !unit_.window));
    if (!weights_) return;
    if (unit_.depthwise.defined()) sizes_.push_back(unit_.depthwise.size(2) * unit_.depthwise.size(3) * period_);
    for (const Unit::Part& part : unit_.parts)
      sizes_.push_back(part.window.taps() * in_ * k_.rounded(part.weight.size(0)));
  }

  void set_norm(const NormGradient& norm) {
    const std::int64_t period = k_.period(out_);
    for (const GradientTerm<T>& term : terms_) {
      std::vector<double> scale = norm.scale;
      if (term.factors == nullptr)
        for (double& number : scale) number *= term.factor;
      scales_.push_back(tiled<T>(scale, period));
    }
    if (norm.slope.empty()) return;
    slope_ = tiled<T>(norm.slope, period);
    constant_ = tiled<T>(norm.constant, period);
  }

  UnitGradients run() {
    const std::int64_t images = run_.x_.images, groups = std::min(images, kGroups);
    std::vector<std::vector<T>> sums(static_cast<std::size_t>(groups));
    std::int64_t size = 0;
    for (const std::int64_t one : sizes_) size += one;
    at::parallel_for(0, groups, 1, [&](std::int64_t begin, std::int64_t end) {
      Scratch own(*this);
      for (std::int64_t g = begin; g < end; ++g) {
        std::vector<T>& sum = sums[static_cast<std::size_t>(g)];
        sum.assign(static_cast<std::size_t>(size), T(0));
        for (std::int64_t n = g * images / groups; n < (g + 1) * images / groups; ++n) image(n, own, sum.data());
      }
    });
    return gradients(sums);
  }

 private:
  struct Scratch {
    explicit Scratch(const Backward& of)
        : padded(of.forward_.padded()),
          middle(of.forward_.middle()),
          y(scratch<T>(*of.run_.pool_, of.reading_.height * of.row_y_, of.k_.period(of.out_))),
          back(scratch<T>(*of.run_.pool_, of.back_.map.numbers(), std::max(of.period_, of.k_.period(of.out_)))),
          result(scratch<T>(*of.run_.pool_, of.result_.numbers(), of.period_)) {
      std::fill_n(back.data(), of.back_.map.numbers(), T(0));  // borders, and what rows have behind their numbers
    }
    Buffer<T> padded, middle, y, back, result;
  };

  /// The gradient of the unit's output before its norm.
  void output_gradient(std::int64_t n, T* dy) {
    const std::int64_t numbers = reading_.height * row_y_, period = k_.period(out_);
    std::vector<const T*> maps, scales;
    std::vector<std::vector<T>> own;  // of this image
    own.reserve(terms_.size());
    for (std::size_t t = 0; t < terms_.size(); ++t) {
      maps.push_back(terms_[t].maps + n * numbers);
      if (terms_[t].factors != nullptr) {
        own.push_back(scales_[t]);
        for (T& scale : own.back()) scale *= static_cast<T>(terms_[t].factors[n]);
      }
      scales.push_back(terms_[t].factors != nullptr ? own.back().data() : scales_[t].data());
    }
    if (!slope_.empty()) {
      maps.push_back(run_.y_.data() + n * numbers);
      scales.push_back(slope_.data());
    }
    k_.combine({numbers, period, static_cast<std::int64_t>(maps.size()), maps.data(), scales.data(),
                constant_.empty() ? nullptr : constant_.data(), /*accumulate=*/false, dy});
  }

  void image(std::int64_t n, Scratch& own, T* sums) {
    output_gradient(n, own.y.data());
    if (weights_) forward_.pad(n, own.padded.data());
    T* place = unit_.window ? by_window(n, own, sums) : by_parts(own, sums);
    if (place == nullptr) return;
    const T* x = run_.x_.image(n);
    k_.unpad({result_, period_, forward_.affine(), input_.accumulate, place, x, input_.maps + n * run_.x_.numbers()});
  }

  /// Through a pool, or a depthwise convolution with the pointwise one behind it.
  T* by_window(std::int64_t n, Scratch& own, T* sums) {
    const std::int64_t numbers = reading_.width * in_, taps = unit_.window->taps();
    if (unit_.kind == Unit::Kind::max_pool) {
      if (input_.maps == nullptr) return nullptr;
      std::fill_n(own.result.data(), result_.numbers(), T(0));
      k_.max_pool_scatter({reading_.height, numbers, reading_.row, numbers, taps, reading_.offsets[0].data(), own.y.data(),
                           run_.from_.data() + n * reading_.height * numbers, own.result.data()});
      return own.result.data();
    }
    T* back = own.back.data() + back_.map.offset(back_.map.top, back_.map.left);
    const std::int64_t* windows = reading_.offsets[0].data();
    if (unit_.parts.empty()) {
      copy_rows(own.y.data(), back);
    } else {
      if (weights_) {
        forward_.window(own.padded.data(), own.middle.data());
        outer(own.middle.data(), forward_.middle_map().row, &kNone, own.y.data(), 0, sums + sizes_[0]);
      }
      cpu::Convolve<T> job{reading_.height, reading_.width, row_y_, out_, back_.map.row, in_, out_, in_, 1, &kNone,
                           parts_[0].data(), /*accumulate=*/false, own.y.data(), back};
      k_.convolve(job);
    }
    if (weights_)
      k_.depthwise_weights({reading_.height, reading_.row, back_.map.row, numbers, period_, taps, windows,
                            own.padded.data(), back, sums});
    if (input_.maps == nullptr) return nullptr;
    if (gathers_) {
      k_.depthwise({run_.x_.height, back_.row, result_.row, period_, taps, back_.offsets[0].data(), depthwise_.data(),
                    own.back.data(), own.result.data()});
    } else {
      std::fill_n(own.result.data(), result_.numbers(), T(0));
      k_.depthwise_scatter({reading_.height, reading_.row, back_.map.row, numbers, period_, taps, windows,
                            depthwise_.data(), back, own.result.data()});
    }
    return own.result.data();
  }

  /// Through dense convolutions.
  T* by_parts(Scratch& own, T* sums) {
    const bool wanted = input_.maps != nullptr;
    if (wanted && gathers_) gather(own);
    if (wanted && !gathers_) std::fill_n(own.result.data(), result_.numbers(), T(0));
    std::int64_t first = 0;
    T* sum = sums;
    for (std::size_t i = 0; i < unit_.parts.size(); ++i) {
      const Unit::Part& part = unit_.parts[i];
      const std::int64_t out = part.weight.size(0), taps = part.window.taps();
      const std::int64_t* offsets = reading_.offsets[i].data();
      if (weights_) {
        outer(own.padded.data(), reading_.row, offsets, own.y.data(), static_cast<std::int64_t>(i), sum);
        sum += sizes_[i];
      }
      for (std::int64_t tap = 0; wanted && !gathers_ && tap < taps; ++tap)
        k_.convolve({reading_.height, reading_.width, row_y_, out_, reading_.row, in_, out, in_, 1, &kNone,
                     parts_[i].data() + tap * out * k_.rounded(in_), /*accumulate=*/true, own.y.data() + first,
                     own.result.data() + offsets[tap]});
      first += out;
    }
    return wanted ? own.result.data() : nullptr;
  }

  void gather(Scratch& own) {
    const std::int64_t taps = unit_.parts[0].window.taps(), period = k_.period(out_);
    const T* from = own.y.data();
    std::int64_t row = row_y_;
    if (taps > 1 || back_.map.top + back_.map.left > 0) {
      k_.pad({back_.map, period, {}, T(0), own.y.data(), own.back.data()});
      from = own.back.data();
      row = back_.row;
    }
    k_.convolve({run_.x_.height, run_.x_.width, row, out_, result_.row, in_, out_, in_, taps, back_.offsets[0].data(),
                 parts_[0].data(), /*accumulate=*/false, from, own.result.data()});
  }

  /// The gradient of a part's weights, from what it read and the gradient of its output channels.
  void outer(const T* x, std::int64_t row_x, const std::int64_t* offsets, const T* dy, std::int64_t part, T* sum) const {
    std::int64_t first = 0;
    for (std::int64_t i = 0; i < part; ++i) first += unit_.parts[static_cast<std::size_t>(i)].weight.size(0);
    const Unit::Part& of = unit_.parts[static_cast<std::size_t>(part)];
    cpu::ConvolveWeights<T> job{reading_.height, reading_.width, row_x, in_, row_y_, out_, in_, of.weight.size(0),
                                of.window.taps(), offsets, x, dy + first, sum};
    if (row_x == job.width * in_) {
      job.width *= job.rows;
      job.rows = 1;
    }
    k_.convolve_weights(job);
  }

  void copy_rows(const T* dy, T* back) const {
    const std::int64_t numbers = reading_.width * in_;
    for (std::int64_t row = 0; row < reading_.height; ++row) {
      T* to = back + row * back_.map.row;
      std::memcpy(to, dy + row * numbers, static_cast<std::size_t>(numbers) * sizeof(T));
      if (inverse_counts_.empty()) continue;
      for (std::int64_t i = 0; i < numbers; ++i)
        to[i] *= static_cast<T>(inverse_counts_[static_cast<std::size_t>(row * reading_.width + i / in_)]);
    }
  }

  UnitGradients gradients(const std::vector<std::vector<T>>& sums) const {
    UnitGradients result;
    result.parts.resize(unit_.parts.size());
    if (!weights_) return result;
    std::size_t offset = 0, next = 0;
    const auto taken = [&] {
      std::vector<const T*> parts;
      for (const std::vector<T>& sum : sums) parts.push_back(sum.data() + offset);
      offset += static_cast<std::size_t>(sizes_[next++]);
      return parts;
    };
    if (unit_.depthwise.defined()) result.depthwise = unpacked_depthwise<T>(unit_.depthwise, k_, taken());
    for (std::size_t i = 0; i < unit_.parts.size(); ++i)
      result.parts[i] = unpacked_dense<T>(unit_.parts[i].weight, k_, taken());
    return result;
  }

  static constexpr std::int64_t kNone = 0;
  const UnitRun& run_;
  const Forward& forward_;
  const Unit& unit_;
  const cpu::Kernels<T>& k_;
  const Reading& reading_;
  std::vector<GradientTerm<T>>& terms_;
  const InputGradient<T>& input_;
  bool weights_, gathers_ = false;
  std::int64_t in_, out_, period_, row_y_;
  Reading back_;            // of the gradient of the convolution's output, where its input's gradient is gathered
  cpu::PaddedMap result_;   // in which the input's gradient is found
  std::vector<T> depthwise_, slope_, constant_;
  std::vector<std::vector<T>> parts_, scales_;
  std::vector<double> inverse_counts_;
  std::vector<std::int64_t> sizes_;  // of the sums of each parameter
};

template <class T>
UnitGradients UnitRun<T>::backward(std::vector<GradientTerm<T>>& terms, const InputGradient<T>& input, bool weights) {
  const auto images = static_cast<std::size_t>(x_.images), channels = static_cast<std::size_t>(channels_);
  const std::int64_t numbers = reading_.height * reading_.width * channels_;
  const bool normed = unit_->norm.has_value();
  const ChannelAffine& affine = norms_.front();
  NormGradient norm{normed ? affine.scale : std::vector<double>(channels, 1), {}, {}, {}, {}};
  std::vector<double> sum(channels, 0), with_y(channels, 0);
  for (GradientTerm<T>& term : terms) {
    if (!normed && !term.wanted) continue;
    std::vector<double> dots(images * channels);
    at::parallel_for(0, x_.images, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n)
        k_->dot({numbers, channels_, k_->period(channels_), term.maps + n * numbers, y_.data() + n * numbers, nullptr,
                 dots.data() + n * channels_});
    });
    for (std::size_t n = 0; n < images; ++n)
      for (std::size_t c = 0; c < channels; ++c) {
        const double own = term.sums[n * channels + c], dot = dots[n * channels + c];
        const double factor = term.factor_of(static_cast<std::int64_t>(n));
        sum[c] += factor * own;
        with_y[c] += factor * dot;
        term.gradient += normed ? affine.scale[c] * dot + affine.shift[c] * own : dot;
      }
  }
  if (normed) {
    const double count = static_cast<double>(x_.images * reading_.height * reading_.width);
    for (std::size_t c = 0; c < channels; ++c) {
      const double centred = inverse_[c] * (with_y[c] - mean_[c] * sum[c]);
      norm.weight.push_back(centred);
      norm.bias.push_back(sum[c]);
      if (!training_) continue;
      const double slope = -affine.scale[c] * inverse_[c] * centred / count;
      norm.slope.push_back(slope);
      norm.constant.push_back(-affine.scale[c] * sum[c] / count - slope * mean_[c]);
    }
  }
  UnitGradients result;
  result.parts.resize(unit_->parts.size());
  if (input.maps != nullptr || weights) {
    const Forward forward(*this);
    Backward backward(*this, forward, terms, input, weights);
    backward.set_norm(norm);
    result = backward.run();
  }
  if (normed && weights && unit_->norm->weight.defined()) {
    const auto tensor_of = [&](const std::vector<double>& numbers) {
      return at::tensor(numbers, at::kDouble).to(unit_->norm->weight.scalar_type());
    };
    result.norm_weight = tensor_of(norm.weight);
    result.norm_bias = tensor_of(norm.bias);
  }
  return result;
}

#define MIXOP_INSTANCES(T) \
  template UnitGradients UnitRun<T>::backward(std::vector<GradientTerm<T>>&, const InputGradient<T>&, bool);
MIXOP_INSTANCES(float)
MIXOP_INSTANCES(double)

}  // namespace mixop
