#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace mixop::imagenet {

/// Images of more pixels are refused before memory is taken for them.
inline constexpr std::int64_t kMaxPixels = std::int64_t{1} << 27;

/// Pixels uint8[height][width][3], red, green, blue.
struct Image {
  std::int32_t height = 0, width = 0;
  std::unique_ptr<std::uint8_t[]> pixels;
  int orientation = 1;  ///< how a viewer turns it, by EXIF: 1 as it is, up to 8; nothing is turned yet
};

/// An image of this size, its pixels not yet written. Throws bad_data naming `path` for more than kMaxPixels and for a
/// side above 65536.
Image blank_image(const std::filesystem::path& path, std::int64_t height, std::int64_t width);

/// Whether the bytes begin as those of a PNG file do.
bool is_png(const std::vector<std::uint8_t>& bytes);

/// Decodes the bytes of a JPEG, a PNG or a PNM file, told apart by their beginning. Throws bad_data naming `path` where
/// they are none, or as decode_jpeg, decode_png and decode_pnm do.
Image decode_image(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes);

}  // namespace mixop::imagenet
