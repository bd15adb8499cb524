#pragma once

#include <cstdint>

#include "host/data/dataset_handle.hpp"
#include "host/data/resample.hpp"
#include "mixop/random.hpp"

namespace mixop {

/// A box of an image whose share of the area is uniform in range.area and whose width / height is log-uniform in
/// range.ratio, at a uniform place (Szegedy et al. 2015, as torchvision's RandomResizedCrop draws it): ten tries, then
/// the largest central box of an allowed ratio.
Box random_crop(std::int32_t height, std::int32_t width, const CropRange& range, RandomStream& random);

/// What evaluation shows: `window` of the image resized to height x width.
struct CentralCrop {
  std::int32_t height, width;
  Box window;
};

/// The image resized until it just covers a box of the crop's proportions whose shorter side is `resize` (of a square
/// one: to a shorter side of `resize`), and the central crop_height x crop_width of it. The crop must fit into the box.
CentralCrop central_crop(std::int32_t height, std::int32_t width, std::int32_t resize, std::int32_t crop_height,
                         std::int32_t crop_width);

}  // namespace mixop
