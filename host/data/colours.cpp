#include "host/data/colours.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace mixop {
namespace {

std::uint8_t to_byte(int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }

/// Luma of ITU-R 601-2 with 16 fractional bits.
std::uint8_t grey(const std::uint8_t* pixel) {
  return static_cast<std::uint8_t>((pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16);
}

struct Hsv {
  int hue, saturation, value;
};

Hsv to_hsv(const std::uint8_t* pixel) {
  const int r = pixel[0], g = pixel[1], b = pixel[2];
  const int high = std::max({r, g, b}), low = std::min({r, g, b});
  if (high == low) return {0, 0, high};
  const auto range = static_cast<float>(high - low);
  const auto below = [&](int channel) { return static_cast<float>(high - channel) / range; };
  double sector = 0;
  if (r == high)
    sector = below(b) - below(g);
  else if (g == high)
    sector = 2.0 + below(r) - below(b);
  else
    sector = 4.0 + below(g) - below(r);
  const auto hue = static_cast<float>(std::fmod(static_cast<float>(sector) / 6.0 + 1.0, 1.0));
  const float saturation = range / static_cast<float>(high);
  return {to_byte(static_cast<int>(hue * 255.0)), to_byte(static_cast<int>(saturation * 255.0)), high};
}

void from_hsv(const Hsv& hsv, std::uint8_t* pixel) {
  const float position = static_cast<float>(hsv.hue) * 6.0f / 255.0f;
  const float saturation = static_cast<float>(hsv.saturation) / 255.0f;
  const int sector = static_cast<int>(std::floor(position));
  const float within = position - static_cast<float>(sector);
  const auto faded = [&](double by) { return to_byte(static_cast<int>(std::round(hsv.value * (1.0 - by)))); };
  const std::uint8_t v = to_byte(hsv.value), p = faded(saturation), q = faded(saturation * within);
  const std::uint8_t t = faded(saturation * (1.0 - within));
  const std::array<std::array<std::uint8_t, 3>, 6> sectors = {
      {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}}};
  std::copy_n(sectors[static_cast<std::size_t>(sector % 6)].begin(), 3, pixel);
}

}  // namespace

std::uint8_t blend(int other, int value, float factor) {
  return static_cast<std::uint8_t>(
      std::clamp(static_cast<float>(other) + factor * static_cast<float>(value - other), 0.0f, 255.0f));
}

void adjust_brightness(std::span<std::uint8_t> pixels, float factor) {
  for (std::uint8_t& value : pixels) value = blend(0, value, factor);
}

void adjust_contrast(std::span<std::uint8_t> pixels, float factor) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < pixels.size(); i += 3) sum += grey(&pixels[i]);
  const int mean = static_cast<int>(static_cast<double>(sum) / static_cast<double>(pixels.size() / 3) + 0.5);
  for (std::uint8_t& value : pixels) value = blend(mean, value, factor);
}

void adjust_saturation(std::span<std::uint8_t> pixels, float factor) {
  for (std::size_t i = 0; i < pixels.size(); i += 3) {
    const int own = grey(&pixels[i]);
    for (std::size_t c = 0; c < 3; ++c) pixels[i + c] = blend(own, pixels[i + c], factor);
  }
}

void shift_hue(std::span<std::uint8_t> pixels, double turn) {
  const int shift = static_cast<int>(turn * 255);
  for (std::size_t i = 0; i < pixels.size(); i += 3) {
    Hsv hsv = to_hsv(&pixels[i]);
    hsv.hue = (hsv.hue + shift) & 255;
    from_hsv(hsv, &pixels[i]);
  }
}

void jitter_colours(std::span<std::uint8_t> pixels, const ColourJitter& jitter, RandomStream& random) {
  const auto between = [&](double low, double high) { return low + (high - low) * random.uniform(); };
  const auto factor = [&](double strength) {
    return static_cast<float>(between(std::max(0.0, 1.0 - strength), 1.0 + strength));
  };
  std::array<int, 4> order = {0, 1, 2, 3};
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  const std::array<float, 3> factors = {factor(jitter.brightness), factor(jitter.contrast), factor(jitter.saturation)};
  const double turn = between(-jitter.hue, jitter.hue);
  for (const int which : order) {
    if (which == 0 && jitter.brightness > 0) adjust_brightness(pixels, factors[0]);
    if (which == 1 && jitter.contrast > 0) adjust_contrast(pixels, factors[1]);
    if (which == 2 && jitter.saturation > 0) adjust_saturation(pixels, factors[2]);
    if (which == 3 && jitter.hue > 0) shift_hue(pixels, turn);
  }
}

}  // namespace mixop
