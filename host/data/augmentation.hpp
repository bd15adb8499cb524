#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "host/data/dataset_handle.hpp"
#include "host/data/policy.hpp"
#include "host/data/sample_order.hpp"
#include "mixop/random.hpp"

namespace mixop {

/// Training augmentation of images; the default is none, as evaluation needs it.
struct Augmentation {
  std::int32_t crop_padding = 0;   ///< random crop of the image's size after this zero padding of its raw bytes
  bool horizontal_flip = false;    ///< mirrored with probability 1/2
  std::int32_t cutout_length = 0;  ///< side of the square set to 0 after normalisation; 0: none
  std::uint64_t seed = 0;
  std::optional<CropRange> random_crop = {};  ///< images of many sizes: a random crop, resized; none: the central one
  ColourJitter jitter = {};                   ///< images of many sizes
  Policy policy = Policy::none;               ///< images of 3 channels: after crop and flip, before normalisation
};

/// Throws usage where it does not fit images whose shorter side is `side`.
void check_augmentation(const Augmentation& augmentation, std::int32_t side);

/// The draws for one sample: a pure function of (seed, epoch, record).
RandomStream augmentation_stream(const Augmentation& augmentation, const Sample& sample);

/// (byte / 255 - mean) / deviation by byte, for one channel.
using NormalisationTable = std::array<float, 256>;

/// One table a channel.
std::vector<NormalisationTable> normalisation_tables(const DatasetInfo& info);

/// Pixels [n][channels] as planes of floats [channels][n], by a table a channel.
void normalise(const std::vector<std::uint8_t>& pixels, const std::vector<NormalisationTable>& tables, float* planes);

/// A float image [channels][height][width].
struct FloatImage {
  float* values;
  std::int32_t channels, height, width;
};

/// Sets a square of `length` around a centre to 0, clipped at the border (DeVries & Taylor 2017).
void cut_out(const FloatImage& image, std::int64_t centre_y, std::int64_t centre_x, std::int32_t length);

}  // namespace mixop
