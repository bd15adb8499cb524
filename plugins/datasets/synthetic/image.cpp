#include "image.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "mixop/random.hpp"

namespace mixop::synthetic {
namespace {

constexpr std::int32_t kTurn = 1 << 16;
constexpr std::int32_t kGrating = 40;  // amplitudes in grey levels
constexpr std::int32_t kTint = 16;
constexpr std::int32_t kSpot = 48;
constexpr std::int32_t kLight = 24;
constexpr std::int32_t kNoise = 96;  // width of the uniform noise

/// A parabola's approximation of a sine of period kTurn, in [-256, 256].
std::int32_t wave(std::int32_t phase) {
  const std::int32_t half = kTurn / 2, x = phase & (half - 1);
  const auto arch = static_cast<std::int32_t>(std::int64_t{x} * (half - x) * 1024 / (std::int64_t{half} * half));
  return (phase & half) == 0 ? arch : -arch;
}

std::int32_t between(RandomStream& random, std::int32_t low, std::int32_t high) {
  return low + static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

}  // namespace

Painter::Painter(const Shape& shape) : shape_(shape) {
  for (std::int64_t label = 0; label < shape.classes; ++label) {
    const double place = static_cast<double>(label) / static_cast<double>(shape.classes);
    const double angle = std::numbers::pi * place;
    // Two to four periods over the image; neighbours in angle differ in period.
    const double step = kTurn * static_cast<double>(2 + label % 3) / static_cast<double>(shape.size);
    Look look{};
    // Rounded to whole steps, so that the last bit of a machine's cosine does not show.
    look.step_x = static_cast<std::int32_t>(std::lround(step * std::cos(angle)));
    look.step_y = static_cast<std::int32_t>(std::lround(step * std::sin(angle)));
    for (std::size_t c = 0; c < look.tint.size(); ++c)
      look.tint[c] = static_cast<std::int32_t>(
          std::lround(kTint * std::cos(2.0 * std::numbers::pi * (place + static_cast<double>(c) / 3.0))));
    looks_.push_back(look);
  }
}

void Painter::paint(int split, std::int64_t index, std::uint8_t* pixels) const {
  RandomStream random(key_of({shape_.seed, static_cast<std::uint64_t>(split), static_cast<std::uint64_t>(index)}));
  const Look& look = looks_[static_cast<std::size_t>(label(index))];
  const auto side = static_cast<std::int32_t>(shape_.size);
  const std::int32_t phase = between(random, 0, kTurn - 1), contrast = between(random, kGrating / 2, kGrating);
  const std::int32_t light = 128 + between(random, -kLight, kLight), spot = between(random, -kSpot, kSpot);
  const std::int32_t spot_x = between(random, 0, side - 1), spot_y = between(random, 0, side - 1);
  const std::int64_t radius = side / 6;
  for (std::size_t c = 0; c < static_cast<std::size_t>(shape_.channels); ++c)
    for (std::int32_t y = 0; y < side; ++y)
      for (std::int32_t x = 0; x < side; ++x) {
        const std::int64_t dx = x - spot_x, dy = y - spot_y;
        std::int32_t value = light + look.tint[c] + contrast * wave(phase + x * look.step_x + y * look.step_y) / 256;
        if (dx * dx + dy * dy <= radius * radius) value += spot;
        value += static_cast<std::int32_t>((random.next() >> 32) * std::uint64_t{kNoise} >> 32) - kNoise / 2;
        *pixels++ = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
      }
}

}  // namespace mixop::synthetic
