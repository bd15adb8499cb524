#include "host/data/augmentation.hpp"

#include <algorithm>
#include <string>

namespace mixop {
namespace {

// Keeps the augmentation's draws apart from the order's under one seed.
constexpr std::uint64_t kAugmentKey = 0x6175676d656e74;

}  // namespace

void check_augmentation(const Augmentation& augmentation, std::int32_t side) {
  const auto within = [side](const char* what, std::int32_t value, std::int32_t high) {
    if (value < 0 || value > high)
      throw Error(ErrorCode::usage, std::string(what) + " must be 0 to " + std::to_string(high) +
                                        " for images whose shorter side is " + std::to_string(side) + ", found " +
                                        std::to_string(value));
  };
  within("the crop padding", augmentation.crop_padding, side);
  within("the cutout length", augmentation.cutout_length, 2 * side);
}

RandomStream augmentation_stream(const Augmentation& augmentation, const Sample& sample) {
  return RandomStream(
      key_of({kAugmentKey, augmentation.seed, sample.epoch, static_cast<std::uint64_t>(sample.record)}));
}

std::vector<NormalisationTable> normalisation_tables(const DatasetInfo& info) {
  std::vector<NormalisationTable> tables(static_cast<std::size_t>(info.channels));
  for (std::size_t c = 0; c < tables.size(); ++c)
    for (std::size_t byte = 0; byte < tables[c].size(); ++byte)
      tables[c][byte] = (static_cast<float>(byte) / 255.0f - info.mean[c]) / info.deviation[c];
  return tables;
}

void normalise(const std::vector<std::uint8_t>& pixels, const std::vector<NormalisationTable>& tables, float* planes) {
  for (std::size_t c = 0; c < tables.size(); ++c)
    for (std::size_t at = c; at < pixels.size(); at += tables.size()) *planes++ = tables[c][pixels[at]];
}

void cut_out(const FloatImage& image, std::int64_t centre_y, std::int64_t centre_x, std::int32_t length) {
  const std::int64_t top = centre_y - length / 2, left = centre_x - length / 2;
  const std::int64_t y_begin = std::max<std::int64_t>(top, 0), x_begin = std::max<std::int64_t>(left, 0);
  const std::int64_t y_end = std::min<std::int64_t>(top + length, image.height);
  const std::int64_t x_end = std::min<std::int64_t>(left + length, image.width);
  for (std::int32_t c = 0; c < image.channels; ++c)
    for (std::int64_t y = y_begin; y < y_end; ++y) {
      float* row = image.values + (std::int64_t{c} * image.height + y) * image.width;
      std::fill(row + x_begin, row + x_end, 0.0f);
    }
}

}  // namespace mixop
