#include "host/data/resample.hpp"

#include <algorithm>
#include <cmath>

namespace mixop {
namespace {

constexpr std::int32_t kChannels = 3;
// Weights have this many fractional bits: 32 less 8 of a pixel and 2 of head room.
constexpr int kFractionBits = 22;
constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

/// The pixels [first, first + weights.size()) of a line that make one pixel of the resized line.
struct Taps {
  std::int32_t first;
  std::vector<std::int32_t> weights;
};

/// Pixel `at` of a line of `from` pixels that is resized to `to`: a triangle around its centre, as wide as the
/// reduction.
Taps taps_of(std::int32_t at, std::int32_t from, std::int32_t to) {
  const double scale = static_cast<double>(from) / to, reach = std::max(scale, 1.0);
  const double centre = (at + 0.5) * scale;
  const std::int32_t first = std::max(static_cast<std::int32_t>(centre - reach + 0.5), 0);
  const std::int32_t last = std::min(static_cast<std::int32_t>(centre + reach + 0.5), from);
  std::vector<double> exact;
  double sum = 0;
  for (std::int32_t i = 0; i < last - first; ++i) {
    exact.push_back(std::max(0.0, 1.0 - std::abs((i + first - centre + 0.5) * (1.0 / reach))));
    sum += exact.back();
  }
  Taps taps{first, {}};
  for (const double weight : exact)
    taps.weights.push_back(static_cast<std::int32_t>(weight / sum * (1 << kFractionBits) + 0.5));
  return taps;
}

/// The taps of pixels [begin, begin + count).
std::vector<Taps> line_taps(std::int32_t begin, std::int32_t count, std::int32_t from, std::int32_t to) {
  std::vector<Taps> taps;
  for (std::int32_t i = 0; i < count; ++i) taps.push_back(taps_of(begin + i, from, to));
  return taps;
}

std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255)); }

void resample_row(const std::uint8_t* row, const std::vector<Taps>& columns, std::uint8_t* out) {
  for (const Taps& taps : columns) {
    std::int32_t sums[kChannels] = {kHalf, kHalf, kHalf};
    const std::uint8_t* pixel = row + std::int64_t{taps.first} * kChannels;
    for (const std::int32_t weight : taps.weights)
      for (std::int32_t& sum : sums) sum += weight * *pixel++;
    for (const std::int32_t sum : sums) *out++ = to_byte(sum);
  }
}

}  // namespace

ImageView cropped(const ImageView& view, const Box& box) {
  return {view.pixels + box.top * view.stride + std::int64_t{box.left} * kChannels, box.height, box.width, view.stride};
}

std::vector<std::uint8_t> resample(const ImageView& view, std::int32_t height, std::int32_t width, const Box& window) {
  const std::vector<Taps> columns = line_taps(window.left, window.width, view.width, width);
  const std::vector<Taps> rows = line_taps(window.top, window.height, view.height, height);
  const std::int32_t first = rows.front().first;
  const std::int32_t end = rows.back().first + static_cast<std::int32_t>(rows.back().weights.size());
  const auto line = static_cast<std::size_t>(window.width) * kChannels;

  std::vector<std::uint8_t> narrowed(static_cast<std::size_t>(end - first) * line);
  for (std::int32_t y = first; y < end; ++y)
    resample_row(view.pixels + y * view.stride, columns, narrowed.data() + static_cast<std::size_t>(y - first) * line);

  std::vector<std::uint8_t> result;
  result.reserve(rows.size() * line);
  std::vector<std::int32_t> sums(line);
  for (const Taps& taps : rows) {
    std::fill(sums.begin(), sums.end(), kHalf);
    const std::uint8_t* source = narrowed.data() + static_cast<std::size_t>(taps.first - first) * line;
    for (const std::int32_t weight : taps.weights) {
      for (std::size_t i = 0; i < line; ++i) sums[i] += weight * source[i];
      source += line;
    }
    for (const std::int32_t sum : sums) result.push_back(to_byte(sum));
  }
  return result;
}

}  // namespace mixop
