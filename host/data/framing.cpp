#include "host/data/framing.hpp"

#include <algorithm>

#include "host/data/crops.hpp"
#include "host/data/resample.hpp"

namespace mixop {
namespace {

class PaddedCrop final : public Framing {
 public:
  explicit PaddedCrop(std::int32_t channels) : channels_(channels) {}

  void frame(std::int32_t height, std::int32_t width, const std::uint8_t* pixels, const Augmentation& augmentation,
             RandomStream& draws, std::vector<std::uint8_t>& framed) const override {
    const auto padding = static_cast<std::uint64_t>(augmentation.crop_padding);
    const auto down = static_cast<std::int32_t>(draws.below(2 * padding + 1) - padding);
    const auto right = static_cast<std::int32_t>(draws.below(2 * padding + 1) - padding);
    const std::int64_t row_bytes = std::int64_t{width} * channels_;
    framed.assign(static_cast<std::size_t>(height * row_bytes), 0);
    const std::int32_t begin = std::clamp(-right, 0, width), end = std::clamp(width - right, begin, width);
    for (std::int32_t y = std::max(0, -down); y < std::min(height, height - down); ++y)
      std::copy_n(pixels + (y + down) * row_bytes + std::int64_t{begin + right} * channels_,
                  std::int64_t{end - begin} * channels_,
                  framed.data() + y * row_bytes + std::int64_t{begin} * channels_);
  }

 private:
  std::int32_t channels_;
};

class ResizedCrop final : public Framing {
 public:
  ResizedCrop(std::int32_t height, std::int32_t width, std::int32_t shorter_side)
      : height_(height), width_(width), shorter_side_(shorter_side) {}

  void frame(std::int32_t height, std::int32_t width, const std::uint8_t* pixels, const Augmentation& augmentation,
             RandomStream& draws, std::vector<std::uint8_t>& framed) const override {
    const ImageView whole{pixels, height, width, std::int64_t{width} * 3};
    if (augmentation.random_crop) {
      const Box box = random_crop(height, width, *augmentation.random_crop, draws);
      framed = resample(cropped(whole, box), height_, width_, {0, 0, height_, width_});
    } else {
      const CentralCrop crop = central_crop(height, width, shorter_side_, height_, width_);
      framed = resample(whole, crop.height, crop.width, crop.window);
    }
  }

 private:
  std::int32_t height_, width_, shorter_side_;
};

}  // namespace

std::unique_ptr<Framing> padded_crop(std::int32_t channels) { return std::make_unique<PaddedCrop>(channels); }

std::unique_ptr<Framing> resized_crop(std::int32_t height, std::int32_t width, std::int32_t shorter_side) {
  return std::make_unique<ResizedCrop>(height, width, shorter_side);
}

}  // namespace mixop
