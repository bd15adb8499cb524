#pragma once

#include "image.hpp"

namespace mixop::imagenet {

/// The image in a JPEG file's bytes, as Pillow's convert("RGB") gives it: grey ones get three equal channels, Adobe's
/// inverted CMYK is undone. Throws bad_data naming `path` for what is no JPEG, is cut off or damaged, or is too large.
Image decode_jpeg(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes);

}  // namespace mixop::imagenet
