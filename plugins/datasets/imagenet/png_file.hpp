#pragma once

#include "image.hpp"

namespace mixop::imagenet {

/// The image in a PNG file's bytes, as Pillow's convert("RGB") gives it: grey ones get three equal channels, palettes
/// are looked up, transparency is dropped, of 16 bits the upper 8 are taken; no gamma or colour profile is applied.
/// Throws bad_data naming `path` for what is no PNG, is cut off or damaged, or is too large.
Image decode_png(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes);

}  // namespace mixop::imagenet
