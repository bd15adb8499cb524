#pragma once

#include <cstring>
#include <limits>
#include <vector>

#include "host/runtime/fused/packed.hpp"
#include "host/runtime/fused/unit_run.hpp"

// Internal: what both passes of a unit do with an image.

namespace mixop {

/// The forward pass over single images.
template <class T>
class UnitRun<T>::Forward {
 public:
  explicit Forward(const UnitRun& run)
      : run_(run), unit_(*run.unit_), k_(*run.k_), reading_(run.reading_), in_(run.x_.channels), period_(k_.period(in_)) {
    if (!run.x_.norm.scale.empty()) {
      scale_ = tiled<T>(run.x_.norm.scale, period_);
      shift_ = tiled<T>(run.x_.norm.shift, period_);
    }
    if (unit_.kind == Unit::Kind::avg_pool) {
      depthwise_.assign(static_cast<std::size_t>(unit_.window->taps() * period_), T(1));
      inverse_counts_ = inverse_counts(reading_, *unit_.window);
    } else if (unit_.depthwise.defined()) {
      depthwise_ = packed_depthwise<T>(unit_.depthwise, k_, /*flipped=*/false);
    }
    for (const Unit::Part& part : unit_.parts) parts_.push_back(packed_dense<T>(part.weight, k_, false, false));
    middle_ = cpu::plain_map(reading_.height, reading_.width, in_, period_);
  }

  Buffer<T> padded() const { return scratch<T>(*run_.pool_, reading_.map.numbers(), period_); }
  Buffer<T> middle() const { return scratch<T>(*run_.pool_, middle_.numbers(), period_); }
  const cpu::PaddedMap& middle_map() const { return middle_; }
  cpu::Affine<T> affine() const {
    return {scale_.empty() ? nullptr : scale_.data(), shift_.empty() ? nullptr : shift_.data(), unit_.relu};
  }

  void pad(std::int64_t n, T* padded) const {
    const T border = unit_.kind == Unit::Kind::max_pool ? -std::numeric_limits<T>::infinity() : T(0);
    k_.pad({reading_.map, period_, affine(), border, run_.x_.image(n), padded});
  }
  /// What the depthwise convolution makes of the padded map.
  void window(const T* padded, T* middle) const {
    k_.depthwise({reading_.height, reading_.row, middle_.row, period_, unit_.window->taps(), reading_.offsets[0].data(),
                  depthwise_.data(), padded, middle});
  }
  void image(std::int64_t n, T* padded, T* middle) const {
    const std::int64_t row_y = reading_.width * run_.channels_;
    T* y = run_.y_.data() + n * reading_.height * row_y;
    pad(n, padded);
    if (unit_.kind == Unit::Kind::max_pool) {
      k_.max_pool({reading_.height, row_y, reading_.row, row_y, unit_.window->taps(), reading_.offsets[0].data(), padded,
                   y, run_.from_.data() + n * reading_.height * row_y});
      return;
    }
    if (unit_.window) window(padded, middle);
    if (unit_.parts.empty()) return copy_middle(middle, y);
    std::int64_t first = 0;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Unit::Part& part = unit_.parts[i];
      const std::int64_t out = part.weight.size(0), none = 0;
      cpu::Convolve<T> job{reading_.height, reading_.width, unit_.window ? middle_.row : reading_.row, in_, row_y,
                           run_.channels_, in_, out, part.window.taps(),
                           unit_.window ? &none : reading_.offsets[i].data(), parts_[i].data(), /*accumulate=*/false,
                           unit_.window ? middle : padded, y + first};
      join_rows(job);
      k_.convolve(job);
      first += out;
    }
  }

 private:
  /// Rows without a gap are one long row.
  static void join_rows(cpu::Convolve<T>& job) {
    if (job.row_x != job.width * job.pixel_x || job.row_out != job.width * job.pixel_out) return;
    job.width *= job.rows;
    job.rows = 1;
  }
  void copy_middle(const T* middle, T* y) const {
    const std::int64_t numbers = reading_.width * in_;
    for (std::int64_t row = 0; row < reading_.height; ++row)
      std::memcpy(y + row * numbers, middle + row * middle_.row, static_cast<std::size_t>(numbers) * sizeof(T));
    if (inverse_counts_.empty()) return;
    for (std::size_t pixel = 0; pixel < inverse_counts_.size(); ++pixel, y += in_)
      for (std::int64_t c = 0; c < in_; ++c) y[c] *= static_cast<T>(inverse_counts_[pixel]);
  }

  const UnitRun& run_;
  const Unit& unit_;
  const cpu::Kernels<T>& k_;
  const Reading& reading_;
  std::int64_t in_, period_;
  cpu::PaddedMap middle_;
  std::vector<T> scale_, shift_, depthwise_;
  std::vector<std::vector<T>> parts_;
  std::vector<double> inverse_counts_;
};

}  // namespace mixop
