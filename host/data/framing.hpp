#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "host/data/augmentation.hpp"
#include "mixop/random.hpp"

namespace mixop {

/// Makes an image of a record's size one of the networks' size: bytes [height][width][channels].
class Framing {
 public:
  virtual ~Framing() = default;
  virtual void frame(std::int32_t height, std::int32_t width, const std::uint8_t* pixels,
                     const Augmentation& augmentation, RandomStream& draws,
                     std::vector<std::uint8_t>& framed) const = 0;

 protected:
  Framing() = default;
};

/// Records of that size: a random crop of it after zero padding.
std::unique_ptr<Framing> padded_crop(std::int32_t channels);
/// Records of many sizes, of 3 channels: a random crop, resized, or else the central one.
std::unique_ptr<Framing> resized_crop(std::int32_t height, std::int32_t width, std::int32_t shorter_side);

}  // namespace mixop
