#include <ATen/ATen.h>

#include <algorithm>

#include "host/runtime/fused/packed.hpp"
#include "host/runtime/fused/unit_images.hpp"
#include "host/runtime/fused/unit_run.hpp"
#include "host/runtime/threads.hpp"

namespace mixop {
namespace {

/// Over how many groups of images sums of weights' gradients are taken.
constexpr std::int64_t kGroups = 16;

/// A norm's backward pass: d y = its scale * g + slope * y + constant, by channel; and the gradients of its parameters.
struct NormGradient {
  std::vector<double> slope, constant, weight, bias;
};

}  // namespace

/// A unit's backward pass over single images. What it adds to the gradient of the group's input lies in the places of
/// `result`: rows of that input where all units of the group gather, otherwise its padded map.
template <class T>
class UnitBackward {
 public:
  UnitBackward(const UnitRun<T>& run, const GroupInput<T>& input, const UnitForward<T>& forward,
               std::vector<GradientTerm<T>>& terms, const cpu::PaddedMap& result, bool gathers, bool wants_input,
               bool weights)
      : run_(run),
        input_(input),
        forward_(forward),
        unit_(*run.unit_),
        k_(*run.k_),
        reading_(input.reading),
        terms_(terms),
        result_(result),
        gathers_(gathers),
        wants_input_(wants_input),
        weights_(weights && unit_.kind == Unit::Kind::convolution),
        in_(input.x.channels),
        out_(run.channels_),
        period_(input.period),
        row_y_(reading_.width * out_) {
    if (gathers_) {
      const std::int64_t channels = unit_.window ? in_ : out_;
      back_ = reading_of(reading_.height, reading_.width, channels, {transposed(unit_.windows().front())},
                         k_.period(channels));
    } else if (unit_.window) {
      back_.map = forward.middle_map();
    }
    if (unit_.kind == Unit::Kind::avg_pool) {
      depthwise_.assign(static_cast<std::size_t>(unit_.window->taps() * period_), T(1));
      inverse_counts_ = inverse_counts<T>(reading_, *unit_.window, forward.middle_map().row);
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

  /// Scratch of one thread: gradients of what the unit and its windows put out.
  struct Scratch {
    explicit Scratch(const UnitBackward& of)
        : y(scratch<T>(*of.run_.pool_, of.run_.numbers(), of.k_.period(of.out_))),
          back(scratch<T>(*of.run_.pool_, of.back_.map.numbers(), std::max(of.period_, of.k_.period(of.out_)))) {
      std::fill_n(back.data(), of.back_.map.numbers(), T(0));  // borders, and what rows have behind their numbers
    }
    Buffer<T> y, back;
    std::vector<const T*> maps, scales;  // what an image's gradient is the sum of
    std::vector<std::vector<T>> own;     // scales of this image
  };
  /// That of each pass. Passes that lay it out alike share it, so that it stays in the cache.
  static std::vector<Scratch> scratch_of(const std::vector<UnitBackward>& passes) {
    std::vector<Scratch> all;
    for (const UnitBackward& pass : passes) {
      const auto alike = std::find_if(passes.begin(), passes.begin() + static_cast<std::ptrdiff_t>(all.size()),
                                      [&](const UnitBackward& other) {
                                        return other.out_ == pass.out_ && other.back_.map == pass.back_.map;
                                      });
      all.push_back(&*alike == &pass ? Scratch(pass) : all[static_cast<std::size_t>(alike - passes.begin())]);
    }
    return all;
  }

  void set_norm(const NormGradient& norm) {
    const std::int64_t period = k_.period(out_);
    for (const GradientTerm<T>& term : terms_) {
      std::vector<double> scale = run_.norm(term.copy).scale;
      if (scale.empty()) scale.assign(static_cast<std::size_t>(out_), 1);
      if (term.factors == nullptr)
        for (double& number : scale) number *= term.factor;
      scales_.push_back(tiled<T>(scale, period));
    }
    if (norm.slope.empty()) return;
    slope_ = tiled<T>(norm.slope, period);
    constant_ = tiled<T>(norm.constant, period);
  }

  /// How many sums the gradients of its weights take.
  std::int64_t sums() const {
    std::int64_t size = 0;
    for (const std::int64_t one : sizes_) size += one;
    return size;
  }
  /// `result` holds what earlier units gave where `accumulate` is set; a padded map always does.
  void image(std::int64_t n, const T* padded, T* middle, Scratch& own, bool accumulate, T* result, T* sums) const {
    output_gradient(n, own);
    unit_.window ? by_window(n, padded, middle, own, accumulate, result, sums)
                 : by_parts(padded, own, accumulate, result, sums);
  }

  /// From the sums of each group of images.
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

 private:
  /// The gradient of the unit's output before its norm.
  void output_gradient(std::int64_t n, Scratch& scratch) const {
    const std::int64_t numbers = reading_.height * row_y_, period = k_.period(out_);
    scratch.maps.clear();
    scratch.scales.clear();
    scratch.own.resize(std::max(scratch.own.size(), terms_.size()));
    for (std::size_t t = 0; t < terms_.size(); ++t) {
      scratch.maps.push_back(terms_[t].maps + n * numbers);
      const std::vector<T>* scale = &scales_[t];
      if (terms_[t].factors != nullptr) {
        scale = &(scratch.own[t] = scales_[t]);
        for (T& number : scratch.own[t]) number *= static_cast<T>(terms_[t].factors[n]);
      }
      scratch.scales.push_back(scale->data());
    }
    if (!slope_.empty()) {
      scratch.maps.push_back(run_.y_.data() + n * numbers);
      scratch.scales.push_back(slope_.data());
    }
    k_.combine({numbers, period, static_cast<std::int64_t>(scratch.maps.size()), scratch.maps.data(),
                scratch.scales.data(), constant_.empty() ? nullptr : constant_.data(), /*accumulate=*/false,
                scratch.y.data()});
  }

  /// Through a pool, or a depthwise convolution with the pointwise one behind it.
  void by_window(std::int64_t n, const T* padded, T* middle, Scratch& own, bool accumulate, T* result, T* sums) const {
    const std::int64_t numbers = reading_.width * in_, taps = unit_.window->taps();
    if (unit_.kind == Unit::Kind::max_pool) {
      if (wants_input_)
        k_.max_pool_scatter({reading_.height, numbers, reading_.row, numbers, taps, forward_.offsets(), own.y.data(),
                             run_.from_.data() + n * run_.numbers(), result});
      return;
    }
    T* back = own.back.data() + back_.map.offset(back_.map.top, back_.map.left);
    if (unit_.parts.empty()) {
      copy_rows(own.y.data(), back);
    } else {
      if (weights_) {
        forward_.window(padded, middle);
        outer(middle, forward_.middle_map().row, &kNone, own.y.data(), 0, sums + sizes_[0]);
      }
      k_.convolve({reading_.height, reading_.width, row_y_, out_, back_.map.row, in_, out_, in_, 1, &kNone,
                   parts_[0].data(), /*accumulate=*/false, own.y.data(), back});
    }
    if (weights_)
      k_.depthwise_weights({reading_.height, reading_.row, back_.map.row, numbers, period_, taps, forward_.offsets(),
                            padded, back, sums});
    if (!wants_input_) return;
    if (gathers_)
      k_.depthwise({result_.height, back_.row, result_.row, period_, taps, back_.offsets[0].data(), depthwise_.data(),
                    accumulate, own.back.data(), result});
    else
      k_.depthwise_scatter({reading_.height, reading_.row, back_.map.row, numbers, period_, taps, forward_.offsets(),
                            depthwise_.data(), back, result});
  }

  /// Through dense convolutions.
  void by_parts(const T* padded, Scratch& own, bool accumulate, T* result, T* sums) const {
    if (wants_input_ && gathers_) gather(own, accumulate, result);
    std::int64_t first = 0;
    for (std::size_t i = 0; i < unit_.parts.size(); ++i) {
      const Unit::Part& part = unit_.parts[i];
      const std::int64_t out = part.weight.size(0), taps = part.window.taps();
      const std::int64_t* offsets = forward_.offsets(i);
      if (weights_) {
        outer(padded, reading_.row, offsets, own.y.data(), first, sums, i);
        sums += sizes_[i];
      }
      for (std::int64_t tap = 0; wants_input_ && !gathers_ && tap < taps; ++tap)
        k_.convolve({reading_.height, reading_.width, row_y_, out_, reading_.row, in_, out, in_, 1, &kNone,
                     parts_[i].data() + tap * out * k_.rounded(in_), /*accumulate=*/true, own.y.data() + first,
                     result + offsets[tap]});
      first += out;
    }
  }

  void gather(Scratch& own, bool accumulate, T* result) const {
    const std::int64_t taps = unit_.parts[0].window.taps();
    const T* from = own.y.data();
    std::int64_t row = row_y_;
    if (taps > 1) {
      k_.pad({back_.map, k_.period(out_), {}, T(0), own.y.data(), own.back.data()});
      from = own.back.data();
      row = back_.row;
    }
    k_.convolve({result_.height, result_.width, row, out_, result_.row, in_, out_, in_, taps, back_.offsets[0].data(),
                 parts_[0].data(), accumulate, from, result});
  }

  /// The gradient of a part's weights, from what it read and the gradient of its output channels, `first` and on.
  void outer(const T* x, std::int64_t row_x, const std::int64_t* offsets, const T* dy, std::int64_t first, T* sum,
             std::size_t part = 0) const {
    const Unit::Part& of = unit_.parts[part];
    cpu::ConvolveWeights<T> job{reading_.height, reading_.width, row_x, in_, row_y_, out_, in_, of.weight.size(0),
                                of.window.taps(), offsets, x, dy + first, sum};
    if (unit_.window) job.taps = 1;
    if (row_x == job.width * in_) {
      job.width *= job.rows;
      job.rows = 1;
    }
    k_.convolve_weights(job);
  }

  void copy_rows(const T* dy, T* back) const {
    const std::int64_t numbers = reading_.width * in_;
    for (std::int64_t row = 0; row < reading_.height; ++row)
      copy_row(k_, numbers, forward_.middle_map().row, inverse_counts_, row, dy + row * numbers,
               back + row * back_.map.row);
  }

  static constexpr std::int64_t kNone = 0;
  const UnitRun<T>& run_;
  const GroupInput<T>& input_;
  const UnitForward<T>& forward_;
  const Unit& unit_;
  const cpu::Kernels<T>& k_;
  const Reading& reading_;
  std::vector<GradientTerm<T>>& terms_;
  cpu::PaddedMap result_;
  bool gathers_, wants_input_, weights_;
  std::int64_t in_, out_, period_, row_y_;
  Reading back_;  // of the gradient of what the windows put out, where the input's gradient is gathered from it
  std::vector<T> depthwise_, slope_, constant_;
  std::vector<std::vector<T>> parts_, scales_;
  std::vector<T> inverse_counts_;
  std::vector<std::int64_t> sizes_;  // of the sums of each parameter
};

namespace {

/// The unit's norm, backward: sums over the batch, and the gradients of the terms' factors.
template <class T>
NormGradient norm_gradient(const UnitRun<T>& run, const Unit& unit, const std::vector<double>& mean,
                           const std::vector<double>& inverse, bool training, std::vector<GradientTerm<T>>& terms) {
  const Maps<T> y = run.output();
  const auto images = static_cast<std::size_t>(y.images), channels = static_cast<std::size_t>(y.channels);
  NormGradient norm;
  std::vector<double> sum(channels, 0), with_y(channels, 0);
  for (GradientTerm<T>& term : terms) {
    if (!unit.norm && !term.wanted) continue;
    const ChannelAffine& affine = run.norm(term.copy);
    for (std::size_t n = 0; n < images; ++n)
      for (std::size_t c = 0; c < channels; ++c) {
        const double plain = term.sums[n * channels + c], dot = term.dots[n * channels + c];
        const double factor = term.factor_of(static_cast<std::int64_t>(n));
        sum[c] += factor * plain;
        with_y[c] += factor * dot;
        term.gradient += unit.norm ? affine.scale[c] * dot + affine.shift[c] * plain : dot;
      }
  }
  if (!unit.norm) return norm;
  const double count = static_cast<double>(y.images * y.height * y.width);
  for (std::size_t c = 0; c < channels; ++c) {
    const double centred = inverse[c] * (with_y[c] - mean[c] * sum[c]);
    norm.weight.push_back(centred);
    norm.bias.push_back(sum[c]);
    if (!training) continue;
    const double scale = run.norm(0).scale[c], slope = -scale * inverse[c] * centred / count;
    norm.slope.push_back(slope);
    norm.constant.push_back(-scale * sum[c] / count - slope * mean[c]);
  }
  return norm;
}

}  // namespace

template <class T>
std::vector<UnitGradients> UnitGroup<T>::backward(std::vector<std::vector<GradientTerm<T>>>& terms,
                                                  const InputGradient<T>& input, bool weights) {
  std::vector<UnitGradients> result(units_.size());
  std::vector<NormGradient> norms;
  std::vector<std::size_t> through;  // the units that a gradient comes back through
  bool gathers = true;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const UnitRun<T>& run = units_[i];
    const Unit& unit = *run.unit_;
    result[i].parts.resize(unit.parts.size());
    norms.push_back(terms[i].empty() ? NormGradient()
                                     : norm_gradient(run, unit, run.mean_, run.inverse_, run.training_, terms[i]));
    if (terms[i].empty()) continue;
    through.push_back(i);
    gathers = gathers && unit.kind != Unit::Kind::max_pool && unit.windows().size() == 1 &&
              has_transposed(unit.windows().front());
  }
  if (input.maps == nullptr && !weights) return result;
  const GroupInput<T> group(x_, reading_, *units_.front().unit_, *k_);
  const cpu::PaddedMap place = gathers ? cpu::plain_map(x_.height, x_.width, x_.channels, group.period) : reading_.map;
  std::vector<UnitForward<T>> forwards;
  std::vector<UnitBackward<T>> passes;
  forwards.reserve(through.size());
  passes.reserve(through.size());
  for (const std::size_t i : through) {
    forwards.emplace_back(units_[i], group, first_[i]);
    passes.emplace_back(units_[i], group, forwards.back(), terms[i], place, gathers, input.maps != nullptr, weights);
    passes.back().set_norm(norms[i]);
  }
  const std::int64_t images = x_.images, groups = std::min(images, kGroups);
  std::vector<std::vector<std::vector<T>>> sums(passes.size(), std::vector<std::vector<T>>(static_cast<std::size_t>(groups)));
  for_ranges(groups, 1, [&](std::int64_t begin, std::int64_t end) {
    const Buffer<T> padded = group.padded(*pool_), found = scratch<T>(*pool_, place.numbers(), group.period);
    const Buffer<T> middle = passes.empty() ? Buffer<T>()
                                            : scratch<T>(*pool_, forwards.front().middle_map().numbers(), group.period);
    std::vector<typename UnitBackward<T>::Scratch> own = UnitBackward<T>::scratch_of(passes);
    for (std::int64_t g = begin; g < end; ++g) {
      for (std::size_t p = 0; p < passes.size(); ++p)
        sums[p][static_cast<std::size_t>(g)].assign(static_cast<std::size_t>(passes[p].sums()), T(0));
      for (std::int64_t n = g * images / groups; n < (g + 1) * images / groups; ++n) {
        if (weights) group.pad(n, padded.data());
        if (!gathers) std::fill_n(found.data(), place.numbers(), T(0));
        for (std::size_t p = 0; p < passes.size(); ++p)
          passes[p].image(n, padded.data(), middle.data(), own[p], p > 0, found.data(),
                          sums[p][static_cast<std::size_t>(g)].data());
        if (input.maps == nullptr) continue;
        T* to = input.maps + n * x_.numbers();
        k_->unpad({place, group.period, group.affine(), input.accumulate, found.data(), x_.image(n), to});
        if (input.sums != nullptr)
          k_->dot({x_.numbers(), x_.channels, group.period, to, x_.image(n), input.sums + n * x_.channels,
                   input.dots + n * x_.channels});
      }
    }
  });
  for (std::size_t p = 0; p < through.size(); ++p) {
    const std::size_t i = through[p];
    const Unit& unit = *units_[i].unit_;
    result[i] = passes[p].gradients(sums[p]);
    if (!weights || !unit.norm || !unit.norm->weight.defined()) continue;
    const auto tensor_of = [&](const std::vector<double>& numbers) {
      return at::tensor(numbers, at::kDouble).to(unit.norm->weight.scalar_type());
    };
    result[i].norm_weight = tensor_of(norms[i].weight);
    result[i].norm_bias = tensor_of(norms[i].bias);
  }
  return result;
}

#define MIXOP_INSTANCES(T)                                                                                            \
  template std::vector<UnitGradients> UnitGroup<T>::backward(std::vector<std::vector<GradientTerm<T>>>&,              \
                                                             const InputGradient<T>&, bool);
MIXOP_INSTANCES(float)
MIXOP_INSTANCES(double)

}  // namespace mixop
