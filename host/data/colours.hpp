#pragma once

#include <cstdint>
#include <span>

#include "host/data/dataset_handle.hpp"
#include "mixop/random.hpp"

namespace mixop {

// Changes of RGB pixels [n][3] in place, in the 8-bit arithmetic of Pillow's ImageEnhance; factor 1 changes nothing.

/// From `other` at factor 0 to `value` at 1 and beyond.
std::uint8_t blend(int other, int value, float factor);

/// Towards black.
void adjust_brightness(std::span<std::uint8_t> pixels, float factor);
/// Towards the mean grey of the image.
void adjust_contrast(std::span<std::uint8_t> pixels, float factor);
/// Towards each pixel's grey.
void adjust_saturation(std::span<std::uint8_t> pixels, float factor);
/// Turns the hue by `turn` of the circle, -0.5 to 0.5, by way of 8-bit HSV as torchvision does; 0 changes it by
/// rounding.
void shift_hue(std::span<std::uint8_t> pixels, double turn);

/// The four in random order, as torchvision's ColorJitter: factors uniform in [max(0, 1 - s), 1 + s], the hue's turn in
/// [-s, s]; what has strength 0 is left out.
void jitter_colours(std::span<std::uint8_t> pixels, const ColourJitter& jitter, RandomStream& random);

}  // namespace mixop
