#include "host/data/resample.hpp"

#include "tests/catch.hpp"

using namespace mixop;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// Grey pixels as RGB.
Bytes grey(const Bytes& values) {
  Bytes pixels;
  for (const std::uint8_t value : values) pixels.insert(pixels.end(), 3, value);
  return pixels;
}

}  // namespace

TEST_CASE("an image of the same size keeps its bytes", "[data][resample]") {
  Bytes pixels;
  for (int i = 0; i < 4 * 5 * 3; ++i) pixels.push_back(static_cast<std::uint8_t>(i * 37));
  CHECK(resample({pixels.data(), 4, 5, 15}, 4, 5, {0, 0, 4, 5}) == pixels);
  CHECK(resample({pixels.data(), 4, 5, 15}, 4, 5, {1, 2, 1, 2}) == Bytes(pixels.begin() + 21, pixels.begin() + 27));
}

TEST_CASE("halving weighs four pixels by a triangle, cut off at the border", "[data][resample]") {
  const Bytes line = grey({0, 80, 160, 240});
  // Weights 3 3 1 at the border and 1 3 3 from the other side, over 7.
  CHECK(resample({line.data(), 1, 4, 12}, 1, 2, {0, 0, 1, 2}) == grey({57, 183}));
  CHECK(resample({line.data(), 4, 1, 3}, 2, 1, {0, 0, 2, 1}) == grey({57, 183}));
}

TEST_CASE("doubling interpolates", "[data][resample]") {
  const Bytes line = grey({0, 100});
  CHECK(resample({line.data(), 1, 2, 6}, 1, 4, {0, 0, 1, 4}) == grey({0, 25, 75, 100}));
}

TEST_CASE("pixels outside a crop do not show", "[data][resample]") {
  Bytes pixels = grey(Bytes(36, 255));
  const ImageView box = cropped({pixels.data(), 6, 6, 18}, {2, 1, 3, 2});
  for (std::int32_t y = 0; y < box.height; ++y)
    for (std::int32_t i = 0; i < box.width * 3; ++i) pixels[static_cast<std::size_t>((2 + y) * 18 + 3 + i)] = 9;
  CHECK(resample(box, 7, 7, {0, 0, 7, 7}) == grey(Bytes(49, 9)));
}
