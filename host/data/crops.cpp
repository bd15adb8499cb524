#include "host/data/crops.hpp"

#include <algorithm>
#include <cmath>

namespace mixop {
namespace {

constexpr int kTries = 10;

double between(double low, double high, RandomStream& random) { return low + (high - low) * random.uniform(); }

/// To the nearest integer, halves to the even one, as Python's round().
std::int32_t rounded(double value) { return static_cast<std::int32_t>(std::nearbyint(value)); }

}  // namespace

Box random_crop(std::int32_t height, std::int32_t width, const CropRange& range, RandomStream& random) {
  const double area = static_cast<double>(height) * static_cast<double>(width);
  for (int i = 0; i < kTries; ++i) {
    const double target = area * between(range.area[0], range.area[1], random);
    const double ratio = std::exp(between(std::log(range.ratio[0]), std::log(range.ratio[1]), random));
    const std::int32_t w = rounded(std::sqrt(target * ratio)), h = rounded(std::sqrt(target / ratio));
    if (w < 1 || w > width || h < 1 || h > height) continue;
    const auto top = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(height - h + 1)));
    const auto left = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(width - w + 1)));
    return {top, left, h, w};
  }
  std::int32_t h = height, w = width;
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  if (ratio < range.ratio[0])
    h = std::max(1, rounded(static_cast<double>(width) / range.ratio[0]));
  else if (ratio > range.ratio[1])
    w = std::max(1, rounded(static_cast<double>(height) * range.ratio[1]));
  return {(height - h) / 2, (width - w) / 2, h, w};
}

CentralCrop central_crop(std::int32_t height, std::int32_t width, std::int32_t resize, std::int32_t crop_height,
                         std::int32_t crop_width) {
  const auto scaled = [](std::int32_t side, std::int32_t by, std::int32_t of) {
    return static_cast<std::int32_t>(std::int64_t{side} * by / of);
  };
  const std::int32_t shorter = std::min(crop_height, crop_width);
  const std::int32_t box_height = scaled(resize, crop_height, shorter), box_width = scaled(resize, crop_width, shorter);
  const bool fills_height = std::int64_t{height} * box_width <= std::int64_t{width} * box_height;
  const std::int32_t h = fills_height ? box_height : scaled(box_width, height, width);
  const std::int32_t w = fills_height ? scaled(box_height, width, height) : box_width;
  return {h, w, {rounded((h - crop_height) / 2.0), rounded((w - crop_width) / 2.0), crop_height, crop_width}};
}

}  // namespace mixop
