#include "orientation.hpp"

#include <cstddef>
#include <cstring>
#include <utility>

namespace mixop::imagenet {
namespace {

constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::uint32_t kShortType = 3;
constexpr std::size_t kEntryBytes = 12;

/// Numbers of 2 or 4 bytes at places of a TIFF file; 0 beyond its end.
struct Tiff {
  std::span<const std::uint8_t> bytes;
  bool little;

  std::uint32_t number(std::size_t at, std::size_t count) const {
    if (at > bytes.size() || count > bytes.size() - at) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + (little ? count - 1 - i : i)];
    return value;
  }
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> exif) {
  if (exif.size() < 8 || (std::memcmp(exif.data(), "II", 2) != 0 && std::memcmp(exif.data(), "MM", 2) != 0)) return 1;
  const Tiff tiff{exif, exif[0] == 'I'};
  if (tiff.number(2, 2) != 42) return 1;
  const std::size_t directory = tiff.number(4, 4);
  for (std::size_t i = 0; i < tiff.number(directory, 2); ++i) {
    const std::size_t entry = directory + 2 + kEntryBytes * i;
    if (tiff.number(entry, 2) != kOrientationTag || tiff.number(entry + 2, 2) != kShortType) continue;
    const std::uint32_t value = tiff.number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image upright(Image image) {
  if (image.orientation == 1) return image;
  const bool swaps = image.orientation >= 5;
  // Where the stored image's first row and column end up: at the far side, of the turned image.
  constexpr bool kFromBottom[] = {false, false, true, true, false, false, true, true};
  constexpr bool kFromRight[] = {false, true, true, false, false, true, true, false};
  const bool from_bottom = kFromBottom[image.orientation - 1], from_right = kFromRight[image.orientation - 1];
  Image turned{swaps ? image.width : image.height, swaps ? image.height : image.width,
               std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(image.height) *
                                                              static_cast<std::size_t>(image.width) * 3),
               1};
  const std::uint8_t* pixel = image.pixels.get();
  for (std::int32_t y = 0; y < image.height; ++y)
    for (std::int32_t x = 0; x < image.width; ++x, pixel += 3) {
      const std::int32_t row = swaps ? x : y, column = swaps ? y : x;
      const std::int64_t to_row = from_bottom ? turned.height - 1 - row : row;
      const std::int64_t to_column = from_right ? turned.width - 1 - column : column;
      std::memcpy(turned.pixels.get() + 3 * (to_row * turned.width + to_column), pixel, 3);
    }
  return turned;
}

}  // namespace mixop::imagenet
