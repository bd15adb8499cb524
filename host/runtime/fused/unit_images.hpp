#pragma once

#include <cstring>
#include <limits>
#include <vector>

#include "host/runtime/fused/packed.hpp"
#include "host/runtime/fused/unit_run.hpp"

// Internal: what a unit does with an image.

namespace mixop {

/// What the units of a group read.
template <class T>
struct GroupInput {
  GroupInput(const Maps<T>& maps, const Reading& r, const Unit& first, const cpu::Kernels<T>& kernels)
      : x(maps), reading(r), k(kernels), period(kernels.period(maps.channels)), relu(first.relu) {
    border = first.kind == Unit::Kind::max_pool ? -std::numeric_limits<T>::infinity() : T(0);
    if (x.norm.scale.empty()) return;
    scale = tiled<T>(x.norm.scale, period);
    shift = tiled<T>(x.norm.shift, period);
  }
  cpu::Affine<T> affine() const {
    return {scale.empty() ? nullptr : scale.data(), shift.empty() ? nullptr : shift.data(), relu};
  }
  void pad(std::int64_t n, T* padded) const { k.pad({reading.map, period, affine(), border, x.image(n), padded}); }
  Buffer<T> padded(BufferPool& pool) const { return scratch<T>(pool, reading.map.numbers(), period); }

  const Maps<T>& x;
  const Reading& reading;
  const cpu::Kernels<T>& k;
  std::int64_t period;
  bool relu;
  T border = 0;
  std::vector<T> scale, shift;
};

/// A row of a map, divided by the counts of a pool where there are some: `row` numbers for each row.
template <class T>
void copy_row(const cpu::Kernels<T>& k, std::int64_t numbers, std::int64_t row, const std::vector<T>& inverse_counts,
              std::int64_t number, const T* from, T* to) {
  if (inverse_counts.empty()) {
    std::memcpy(to, from, static_cast<std::size_t>(numbers) * sizeof(T));
    return;
  }
  const T* scale = inverse_counts.data() + number * row;
  k.combine({numbers, row, 1, &from, &scale, nullptr, /*accumulate=*/false, to});
}

/// A unit's forward pass over single images.
template <class T>
class UnitForward {
 public:
  UnitForward(const UnitRun<T>& run, const GroupInput<T>& input, std::size_t first_window)
      : run_(run),
        unit_(*run.unit_),
        k_(*run.k_),
        input_(input),
        first_(first_window),
        in_(input.x.channels),
        middle_(cpu::plain_map(input.reading.height, input.reading.width, in_, input.period)) {
    const Reading& reading = input.reading;
    if (unit_.kind == Unit::Kind::avg_pool) {
      depthwise_.assign(static_cast<std::size_t>(unit_.window->taps() * input.period), T(1));
      inverse_counts_ = inverse_counts<T>(reading, *unit_.window, middle_.row);
    } else if (unit_.depthwise.defined()) {
      depthwise_ = packed_depthwise<T>(unit_.depthwise, k_, /*flipped=*/false);
    }
    for (const Unit::Part& part : unit_.parts) parts_.push_back(packed_dense<T>(part.weight, k_, false, false));
  }

  const cpu::PaddedMap& middle_map() const { return middle_; }
  /// The places of the `i`th window of the unit in the padded map.
  const std::int64_t* offsets(std::size_t i = 0) const { return input_.reading.offsets[first_ + i].data(); }
  /// What the depthwise convolution makes of the padded map.
  void window(const T* padded, T* middle) const {
    const Reading& reading = input_.reading;
    k_.depthwise({reading.height, reading.row, middle_.row, input_.period, unit_.window->taps(), offsets(),
                  depthwise_.data(), /*accumulate=*/false, padded, middle});
  }
  void image(std::int64_t n, const T* padded, T* middle) const {
    const Reading& reading = input_.reading;
    const std::int64_t row_y = reading.width * run_.channels_;
    T* y = run_.y_.data() + n * run_.numbers();
    if (unit_.kind == Unit::Kind::max_pool) {
      k_.max_pool({reading.height, row_y, reading.row, row_y, unit_.window->taps(), offsets(), padded, y,
                   run_.from_.data() + n * run_.numbers()});
      return;
    }
    if (unit_.window) window(padded, middle);
    if (unit_.parts.empty()) return copy_middle(middle, y);
    std::int64_t first = 0;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Unit::Part& part = unit_.parts[i];
      const std::int64_t out = part.weight.size(0), none = 0;
      cpu::Convolve<T> job{reading.height, reading.width, unit_.window ? middle_.row : reading.row, in_, row_y,
                           run_.channels_, in_, out, part.window.taps(), unit_.window ? &none : offsets(i),
                           parts_[i].data(), /*accumulate=*/false, unit_.window ? middle : padded, y + first};
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
    const std::int64_t numbers = input_.reading.width * in_;
    for (std::int64_t row = 0; row < input_.reading.height; ++row)
      copy_row(k_, numbers, middle_.row, inverse_counts_, row, middle + row * middle_.row, y + row * numbers);
  }

  const UnitRun<T>& run_;
  const Unit& unit_;
  const cpu::Kernels<T>& k_;
  const GroupInput<T>& input_;
  std::size_t first_;
  std::int64_t in_;
  cpu::PaddedMap middle_;
  std::vector<T> depthwise_;
  std::vector<std::vector<T>> parts_;
  std::vector<T> inverse_counts_;
};

}  // namespace mixop
