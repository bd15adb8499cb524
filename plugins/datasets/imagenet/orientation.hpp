#pragma once

#include <span>

#include "image.hpp"

namespace mixop::imagenet {

/// The orientation that EXIF data (a TIFF header and its first directory) tells, 1 to 8; 1 where it tells none that is
/// sound.
int exif_orientation(std::span<const std::uint8_t> exif);

/// The image turned and mirrored as its orientation says, which is 1 then: as Pillow's ImageOps.exif_transpose.
Image upright(Image image);

}  // namespace mixop::imagenet
