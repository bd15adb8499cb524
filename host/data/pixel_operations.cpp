#include "host/data/pixel_operations.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "host/data/colours.hpp"

namespace mixop {
namespace {

constexpr std::size_t kChannels = 3;
using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

Histogram histogram_of(std::span<const std::uint8_t> pixels, std::size_t channel) {
  Histogram counts{};
  for (std::size_t i = channel; i < pixels.size(); i += kChannels) ++counts[pixels[i]];
  return counts;
}

/// Replaces each channel's bytes by a table that its histogram gives.
template <class TableOf>
void look_up_channels(std::span<std::uint8_t> pixels, const TableOf& table_of) {
  for (std::size_t c = 0; c < kChannels; ++c) {
    const Table table = table_of(histogram_of(pixels, c));
    for (std::size_t i = c; i < pixels.size(); i += kChannels) pixels[i] = table[pixels[i]];
  }
}

Table identity() {
  Table table;
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<std::uint8_t>(i);
  return table;
}

Table stretched(const Histogram& counts) {
  Table table = identity();
  const auto is_met = [](std::int64_t count) { return count != 0; };
  const auto low = std::find_if(counts.begin(), counts.end(), is_met) - counts.begin();
  const auto high = 255 - (std::find_if(counts.rbegin(), counts.rend(), is_met) - counts.rbegin());
  if (high <= low) return table;
  const double scale = 255.0 / static_cast<double>(high - low), offset = -static_cast<double>(low) * scale;
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = static_cast<std::uint8_t>(std::clamp(static_cast<int>(static_cast<double>(i) * scale + offset), 0, 255));
  return table;
}

Table equalized(const Histogram& counts) {
  Table table = identity();
  std::int64_t sum = 0, last = 0, levels = 0;
  for (const std::int64_t count : counts) {
    if (count == 0) continue;
    sum += count, last = count, ++levels;
  }
  const std::int64_t step = (sum - last) / 255;
  if (levels <= 1 || step == 0) return table;
  std::int64_t below = step / 2;
  for (std::size_t i = 0; i < table.size(); below += counts[i++])
    table[i] = static_cast<std::uint8_t>(std::min<std::int64_t>(below / step, 255));
  return table;
}

/// The weighted sum of three pixels of a row, of one channel.
float row_sum(const std::uint8_t* centre, float side, float middle) {
  return static_cast<float>(centre[-3]) * side + static_cast<float>(centre[0]) * middle +
         static_cast<float>(centre[3]) * side;
}

/// The inner pixels as means of 3x3, the centre five times, and the border as it is.
std::vector<std::uint8_t> smoothed(const RgbImage& image) {
  std::vector<std::uint8_t> result = image.pixels;
  if (image.height < 3 || image.width < 3) return result;
  constexpr float kSide = 1.0f / 13, kMiddle = 5.0f / 13;
  const auto line = static_cast<std::ptrdiff_t>(image.width) * 3;
  for (std::int32_t y = 1; y + 1 < image.height; ++y)
    for (std::ptrdiff_t i = y * line + 3; i < (y + 1) * line - 3; ++i) {
      const std::uint8_t* at = image.pixels.data() + i;
      const float sum =
          0.5f + row_sum(at + line, kSide, kSide) + row_sum(at, kSide, kMiddle) + row_sum(at - line, kSide, kSide);
      result[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(std::clamp(sum, 0.0f, 255.0f));
    }
  return result;
}

constexpr int kFractionBits = 16;

std::int64_t fixed(double value) { return static_cast<std::int64_t>(std::floor(value * (1 << kFractionBits) + 0.5)); }

}  // namespace

void mirror(RgbImage& image, int channels) {
  for (std::int32_t y = 0; y < image.height; ++y) {
    std::uint8_t* left = image.pixels.data() + std::int64_t{y} * image.width * channels;
    std::uint8_t* right = left + (image.width - 1) * channels;
    for (; left < right; left += channels, right -= channels) std::swap_ranges(left, left + channels, right);
  }
}

void invert(std::span<std::uint8_t> pixels) {
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(255 - value);
}

void posterize(std::span<std::uint8_t> pixels, int bits) {
  const int mask = ~((1 << (8 - bits)) - 1);
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(value & mask);
}

void solarize(std::span<std::uint8_t> pixels, double threshold) {
  for (std::uint8_t& value : pixels)
    if (value >= threshold) value = static_cast<std::uint8_t>(255 - value);
}

void auto_contrast(std::span<std::uint8_t> pixels) { look_up_channels(pixels, stretched); }

void equalize(std::span<std::uint8_t> pixels) { look_up_channels(pixels, equalized); }

void adjust_sharpness(RgbImage& image, float factor) {
  const std::vector<std::uint8_t> smooth = smoothed(image);
  for (std::size_t i = 0; i < smooth.size(); ++i) image.pixels[i] = blend(smooth[i], image.pixels[i], factor);
}

void transform(RgbImage& image, const AffineMatrix& m, std::uint8_t fill) {
  const std::vector<std::uint8_t> source =
      std::exchange(image.pixels, std::vector<std::uint8_t>(image.pixels.size(), fill));
  // Where the centre of the first pixel lies, in steps of 1/65536.
  std::int64_t row_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5), row_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
  std::uint8_t* out = image.pixels.data();
  for (std::int32_t y = 0; y < image.height; ++y, row_x += fixed(m[1]), row_y += fixed(m[4])) {
    std::int64_t at_x = row_x, at_y = row_y;
    for (std::int32_t x = 0; x < image.width; ++x, out += 3, at_x += fixed(m[0]), at_y += fixed(m[3])) {
      const std::int64_t column = at_x >> kFractionBits, row = at_y >> kFractionBits;
      if (column < 0 || column >= image.width || row < 0 || row >= image.height) continue;
      std::copy_n(source.data() + 3 * (row * image.width + column), 3, out);
    }
  }
}

void rotate(RgbImage& image, double degrees, std::uint8_t fill) {
  const double angle = -degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle), sine = std::sin(angle), x = image.width / 2.0, y = image.height / 2.0;
  transform(image, {cosine, sine, x - cosine * x - sine * y, -sine, cosine, y + sine * x - cosine * y}, fill);
}

}  // namespace mixop
