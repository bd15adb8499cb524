#include "host/runtime/fused/unit_run.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "host/runtime/fused/packed.hpp"
#include "host/runtime/fused/unit_images.hpp"

namespace mixop {

std::vector<double> inverse_counts(const Reading& reading, const Window& window) {
  const auto inside = [&](std::int64_t place, std::int64_t size, std::size_t axis) {
    std::int64_t count = 0;
    for (std::int64_t k = 0; k < window.kernel[axis]; ++k) {
      const std::int64_t at = place * window.stride[axis] - window.padding[axis] + k * window.dilation[axis];
      count += at >= 0 && at < size ? 1 : 0;
    }
    return count;
  };
  std::vector<double> counts;
  for (std::int64_t y = 0; y < reading.height; ++y)
    for (std::int64_t x = 0; x < reading.width; ++x)
      counts.push_back(1.0 / static_cast<double>(inside(y, reading.map.height, 0) * inside(x, reading.map.width, 1)));
  return counts;
}

template <class T>
void UnitRun<T>::forward(const Maps<T>& x, bool training, bool update) {
  x_ = x;
  training_ = training;
  reading_ = reading_of(x.height, x.width, x.channels, unit_->windows(), k_->period(x.channels));
  channels_ = unit_->kind == Unit::Kind::convolution ? unit_->out : x.channels;
  const std::int64_t numbers = reading_.height * reading_.width * channels_;
  y_ = scratch<T>(*pool_, x.images * numbers, k_->period(channels_));
  if (unit_->kind == Unit::Kind::max_pool) from_ = Buffer<std::uint8_t>(*pool_, static_cast<std::size_t>(x.images * numbers));
  const Forward pass(*this);
  at::parallel_for(0, x.images, 1, [&](std::int64_t begin, std::int64_t end) {
    const Buffer<T> padded = pass.padded(), middle = pass.middle();
    for (std::int64_t n = begin; n < end; ++n) pass.image(n, padded.data(), middle.data());
  });
  norms_.assign(1, {});
  if (!unit_->norm) return;
  training_ ? take_statistics(update) : read_running();
}

template <class T>
void UnitRun<T>::take_statistics(bool update) {
  const std::int64_t images = x_.images, pixels = reading_.height * reading_.width;
  const auto channels = static_cast<std::size_t>(channels_);
  if (images * pixels == 1) require_batch_statistics(at::empty({1, channels_, 1, 1}));
  std::vector<double> sums(static_cast<std::size_t>(images) * channels), squares(sums.size());
  at::parallel_for(0, images, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const T* y = y_.data() + n * pixels * channels_;
      k_->dot({pixels * channels_, channels_, k_->period(channels_), y, y, sums.data() + n * channels_,
               squares.data() + n * channels_});
    }
  });
  const Norm& norm = *unit_->norm;
  const std::vector<double> weight = doubles_of(norm.weight), bias = doubles_of(norm.bias);
  const double count = static_cast<double>(images * pixels);
  mean_.assign(channels, 0);
  inverse_.assign(channels, 0);
  std::vector<double> variance(channels);
  ChannelAffine& affine = norms_.front();
  for (std::size_t c = 0; c < channels; ++c) {
    double sum = 0, square = 0;
    for (std::size_t n = 0; n < static_cast<std::size_t>(images); ++n) {
      sum += sums[n * channels + c];
      square += squares[n * channels + c];
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

template <class T>
Maps<T> UnitRun<T>::output(std::size_t copy) const {
  return {y_.data(), x_.images, reading_.height, reading_.width, channels_, norms_[norms_.size() == 1 ? 0 : copy]};
}

#define MIXOP_INSTANCES(T)                                                  \
  template void UnitRun<T>::forward(const Maps<T>&, bool training, bool update); \
  template Maps<T> UnitRun<T>::output(std::size_t copy) const;
MIXOP_INSTANCES(float)
MIXOP_INSTANCES(double)

}  // namespace mixop
