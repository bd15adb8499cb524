#include "host/runtime/fused/unit_run.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "host/runtime/fused/packed.hpp"
#include "host/runtime/fused/unit_images.hpp"
#include "host/runtime/threads.hpp"

namespace mixop {

template <class T>
std::vector<T> inverse_counts(const Reading& reading, const Window& window, std::int64_t row) {
  const auto inside = [&](std::int64_t place, std::int64_t size, std::size_t axis) {
    std::int64_t count = 0;
    for (std::int64_t k = 0; k < window.kernel[axis]; ++k) {
      const std::int64_t at = place * window.stride[axis] - window.padding[axis] + k * window.dilation[axis];
      count += at >= 0 && at < size ? 1 : 0;
    }
    return count;
  };
  std::vector<T> counts(static_cast<std::size_t>(reading.height * row), T(0));
  for (std::int64_t y = 0; y < reading.height; ++y)
    for (std::int64_t x = 0; x < reading.width; ++x) {
      const auto count = static_cast<double>(inside(y, reading.map.height, 0) * inside(x, reading.map.width, 1));
      std::fill_n(counts.begin() + y * row + x * reading.map.channels, reading.map.channels, static_cast<T>(1 / count));
    }
  return counts;
}

template <class T>
UnitGroup<T>::UnitGroup(const std::vector<const Unit*>& units, const cpu::Kernels<T>& kernels, BufferPool& pool)
    : k_(&kernels), pool_(&pool) {
  for (const Unit* unit : units) units_.emplace_back(*unit, kernels, pool);
}

template <class T>
bool UnitGroup<T>::fits(const Unit& first, const Unit& unit) {
  const auto border_is_low = [](const Unit& of) { return of.kind == Unit::Kind::max_pool; };
  return first.relu == unit.relu && border_is_low(first) == border_is_low(unit) &&
         first.windows().front().stride == unit.windows().front().stride;
}

template <class T>
void UnitGroup<T>::forward(const Maps<T>& x, bool training, bool update) {
  x_ = x;
  std::vector<Window> windows;
  for (const UnitRun<T>& run : units_) {
    first_.push_back(windows.size());
    for (const Window& window : run.unit_->windows()) windows.push_back(window);
  }
  reading_ = reading_of(x.height, x.width, x.channels, windows, k_->period(x.channels));
  const GroupInput<T> input(x_, reading_, *units_.front().unit_, *k_);
  std::vector<UnitForward<T>> passes;
  passes.reserve(units_.size());
  for (std::size_t i = 0; i < units_.size(); ++i) {
    UnitRun<T>& run = units_[i];
    run.training_ = training;
    run.images_ = x.images;
    run.height_ = reading_.height;
    run.width_ = reading_.width;
    run.channels_ = run.unit_->kind == Unit::Kind::convolution ? run.unit_->out : x.channels;
    run.y_ = scratch<T>(*pool_, x.images * run.numbers(), k_->period(run.channels_));
    if (run.unit_->kind == Unit::Kind::max_pool)
      run.from_ = Buffer<std::uint8_t>(*pool_, static_cast<std::size_t>(x.images * run.numbers()));
    run.norms_.assign(1, {});
    if (run.unit_->norm && training) {
      run.sums_.resize(static_cast<std::size_t>(x.images * run.channels_));
      run.squares_.resize(run.sums_.size());
    }
    passes.emplace_back(run, input, first_[i]);
  }
  for_ranges(x.images, 1, [&](std::int64_t begin, std::int64_t end) {
    const Buffer<T> padded = input.padded(*pool_);
    const Buffer<T> middle = scratch<T>(*pool_, passes.front().middle_map().numbers(), input.period);
    for (std::int64_t n = begin; n < end; ++n) {
      input.pad(n, padded.data());
      for (std::size_t i = 0; i < units_.size(); ++i) {
        UnitRun<T>& run = units_[i];
        passes[i].image(n, padded.data(), middle.data());
        if (run.sums_.empty()) continue;
        const T* y = run.y_.data() + n * run.numbers();
        k_->dot({run.numbers(), run.channels_, k_->period(run.channels_), y, y, run.sums_.data() + n * run.channels_,
                 run.squares_.data() + n * run.channels_});
      }
    }
  });
  for (UnitRun<T>& run : units_)
    if (run.unit_->norm) training ? run.take_statistics(update) : run.read_running();
}

template <class T>
void UnitRun<T>::take_statistics(bool update) {
  const std::int64_t pixels = height_ * width_;
  const auto channels = static_cast<std::size_t>(channels_), images = static_cast<std::size_t>(images_);
  if (images_ * pixels == 1) require_batch_statistics(at::empty({1, channels_, 1, 1}));
  const Norm& norm = *unit_->norm;
  const std::vector<double> weight = doubles_of(norm.weight), bias = doubles_of(norm.bias);
  const double count = static_cast<double>(images_ * pixels);
  mean_.assign(channels, 0);
  inverse_.assign(channels, 0);
  std::vector<double> variance(channels);
  ChannelAffine& affine = norms_.front();
  for (std::size_t c = 0; c < channels; ++c) {
    double sum = 0, square = 0;
    for (std::size_t n = 0; n < images; ++n) {
      sum += sums_[n * channels + c];
      square += squares_[n * channels + c];
    }
    mean_[c] = sum / count;
    const double spread = square / count - mean_[c] * mean_[c];
    variance[c] = spread < 0 ? 0 : spread;  // what is not a number stays so
    inverse_[c] = 1 / std::sqrt(variance[c] + norm.epsilon);
    const double scale = inverse_[c] * (weight.empty() ? 1 : weight[c]);
    affine.scale.push_back(scale);
    affine.shift.push_back((bias.empty() ? 0 : bias[c]) - mean_[c] * scale);
  }
  if (!update) return;
  for (const Norm::Statistics& running : norm.running) {
    T* means = running.mean.mutable_data_ptr<T>();
    T* variances = running.variance.mutable_data_ptr<T>();
    for (std::size_t c = 0; c < channels; ++c) {
      const double unbiased = variance[c] * count / (count - 1);
      means[c] = static_cast<T>((1 - norm.momentum) * static_cast<double>(means[c]) + norm.momentum * mean_[c]);
      variances[c] = static_cast<T>((1 - norm.momentum) * static_cast<double>(variances[c]) + norm.momentum * unbiased);
    }
    *running.count.mutable_data_ptr<std::int64_t>() += 1;
  }
}

template <class T>
void UnitRun<T>::read_running() {
  const Norm& norm = *unit_->norm;
  const std::vector<double> weight = doubles_of(norm.weight), bias = doubles_of(norm.bias);
  norms_.clear();
  for (const Norm::Statistics& running : norm.running) {
    const std::vector<double> mean = doubles_of(running.mean), variance = doubles_of(running.variance);
    ChannelAffine& affine = norms_.emplace_back();
    std::vector<double> inverse;
    for (std::size_t c = 0; c < mean.size(); ++c) {
      inverse.push_back(1 / std::sqrt(variance[c] + norm.epsilon));
      affine.scale.push_back(inverse[c] * (weight.empty() ? 1 : weight[c]));
      affine.shift.push_back((bias.empty() ? 0 : bias[c]) - mean[c] * affine.scale[c]);
    }
    if (norms_.size() > 1) continue;
    mean_ = mean;
    inverse_ = inverse;
  }
}

#define MIXOP_INSTANCES(T)                                                                                       \
  template UnitGroup<T>::UnitGroup(const std::vector<const Unit*>&, const cpu::Kernels<T>&, BufferPool& pool); \
  template std::vector<T> inverse_counts<T>(const Reading&, const Window&, std::int64_t);                       \
  template bool UnitGroup<T>::fits(const Unit&, const Unit&);                                                   \
  template void UnitGroup<T>::forward(const Maps<T>&, bool training, bool update);
MIXOP_INSTANCES(float)
MIXOP_INSTANCES(double)

}  // namespace mixop
