#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace mixop::imagenet {

/// Pixels uint8[height][width][3], red, green, blue.
struct Image {
  std::int32_t height, width;
  std::unique_ptr<std::uint8_t[]> pixels;
};

/// The image in a JPEG file's bytes, as Pillow's convert("RGB") gives it: grey ones get three equal channels, Adobe's
/// inverted CMYK is undone, an EXIF orientation is ignored. Throws bad_data naming `path` for what is no JPEG, is cut
/// off or damaged, or has more than 2^27 pixels.
Image decode_jpeg(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes);

}  // namespace mixop::imagenet
