#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace mixop {

/// RGB bytes [height][width][3] of one's own.
struct RgbImage {
  std::int32_t height, width;
  std::vector<std::uint8_t> pixels;
};

/// Left becomes right, of pixels of that many channels.
void mirror(RgbImage& image, int channels = 3);

// Operations in the arithmetic of Pillow's ImageOps and ImageFilter, in place. Those of single bytes treat each channel
// alone.

/// Every byte becomes 255 less itself.
void invert(std::span<std::uint8_t> pixels);
/// Keeps the upper `bits` bits, 0 to 8.
void posterize(std::span<std::uint8_t> pixels, int bits);
/// Inverts the bytes from `threshold` on.
void solarize(std::span<std::uint8_t> pixels, double threshold);
/// Stretches each channel of RGB pixels over 0 to 255.
void auto_contrast(std::span<std::uint8_t> pixels);
/// Gives each channel of RGB pixels a uniform histogram.
void equalize(std::span<std::uint8_t> pixels);
/// From the image smoothed by a 3x3 kernel at factor 0 to itself at 1 and beyond; borders are not smoothed.
void adjust_sharpness(RgbImage& image, float factor);

/// Output pixel (x, y) shows input pixel (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]), by centres, the nearest one;
/// beyond the border all channels are `fill`. As Pillow's transform(AFFINE, NEAREST).
using AffineMatrix = std::array<double, 6>;
void transform(RgbImage& image, const AffineMatrix& matrix, std::uint8_t fill);
/// Turns the image about its centre, counter-clockwise, as Pillow's rotate().
void rotate(RgbImage& image, double degrees, std::uint8_t fill);

}  // namespace mixop
