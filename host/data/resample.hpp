#pragma once

#include <cstdint>
#include <vector>

namespace mixop {

/// Bytes uint8[height][width][3] of somebody else's, with `stride` bytes from row to row.
struct ImageView {
  const std::uint8_t* pixels;
  std::int32_t height, width;
  std::int64_t stride;
};

/// A rectangle of pixels.
struct Box {
  std::int32_t top, left, height, width;
};

/// The part of a view.
ImageView cropped(const ImageView& view, const Box& box);

/// `window` of the view resized to height x width, uint8[window.height][window.width][3]: a bilinear filter that widens
/// with the reduction, in 8-bit fixed-point arithmetic, along rows and then along columns. The bytes of Pillow's
/// Image.resize(BILINEAR), but that Pillow 13 takes the columns first for some shapes.
std::vector<std::uint8_t> resample(const ImageView& view, std::int32_t height, std::int32_t width, const Box& window);

}  // namespace mixop
