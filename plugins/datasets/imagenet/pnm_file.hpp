#pragma once

#include "image.hpp"

namespace mixop::imagenet {

/// Whether the bytes begin as those of a PGM or a PPM file do.
bool is_pnm(const std::vector<std::uint8_t>& bytes);

/// Decodes the first image of a PGM or a PPM file, as text or as bytes (netpbm's P2, P3, P5 and P6), scaled to 8 bits.
/// Throws bad_data naming `path` for a malformed header, for samples that are missing or above the maximum, and as
/// blank_image() does.
Image decode_pnm(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes);

}  // namespace mixop::imagenet
