#include "host/data/pixel_operations.hpp"

#include "tests/catch.hpp"

using namespace mixop;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// Grey pixels of these levels, in one row.
RgbImage row_of(const Bytes& levels) {
  RgbImage image{1, static_cast<std::int32_t>(levels.size()), {}};
  for (const std::uint8_t level : levels) image.pixels.insert(image.pixels.end(), 3, level);
  return image;
}

/// The first channel.
Bytes levels_of(const RgbImage& image) {
  Bytes levels;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) levels.push_back(image.pixels[i]);
  return levels;
}

}  // namespace

TEST_CASE("bytes are inverted, posterized and solarized", "[data][pixels]") {
  Bytes bytes = {0, 100, 127, 128, 255};
  SECTION("invert") {
    invert(bytes);
    CHECK(bytes == Bytes{255, 155, 128, 127, 0});
  }
  SECTION("posterize to 4 bits, and to none") {
    posterize(bytes, 4);
    CHECK(bytes == Bytes{0, 96, 112, 128, 240});
    posterize(bytes, 0);
    CHECK(bytes == Bytes(5, 0));
  }
  SECTION("solarize from 128 on") {
    solarize(bytes, 128);
    CHECK(bytes == Bytes{0, 100, 127, 127, 0});
  }
}

TEST_CASE("a histogram is stretched, and a plain channel stays", "[data][pixels]") {
  RgbImage image = row_of({10, 20, 60});
  auto_contrast(image.pixels);
  CHECK(levels_of(image) == Bytes{0, 51, 255});
  RgbImage plain = row_of({7, 7});
  auto_contrast(plain.pixels);
  equalize(plain.pixels);
  CHECK(levels_of(plain) == Bytes{7, 7});
}

TEST_CASE("a histogram is made uniform", "[data][pixels]") {
  RgbImage image = row_of(Bytes(255, 10));
  for (int i = 0; i < 3 * 255; ++i) image.pixels.push_back(20);
  image.width = 510;
  equalize(image.pixels);
  CHECK(levels_of(image).front() == 0);
  CHECK(levels_of(image).back() == 255);
}

TEST_CASE("an image is mirrored, moved and turned about its centre", "[data][pixels]") {
  RgbImage image = row_of({1, 2, 3});
  SECTION("mirror") {
    mirror(image);
    CHECK(levels_of(image) == Bytes{3, 2, 1});
  }
  SECTION("what comes from beyond the border is filled") {
    transform(image, {1, 0, 1, 0, 1, 0}, 9);
    CHECK(levels_of(image) == Bytes{2, 3, 9});
  }
  SECTION("a turn by half a circle and by none") {
    rotate(image, 0, 9);
    CHECK(levels_of(image) == Bytes{1, 2, 3});
    rotate(image, 180, 9);
    CHECK(levels_of(image) == Bytes{3, 2, 1});
  }
  SECTION("a quarter turn is counter-clockwise") {
    RgbImage square{2, 2, {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4}};
    rotate(square, 90, 9);
    CHECK(levels_of(square) == Bytes{2, 4, 1, 3});
  }
}

TEST_CASE("sharpness 0 smooths the inside and leaves the border and small images", "[data][pixels]") {
  RgbImage image{3, 3, Bytes(27, 13)};
  image.pixels[12] = 26;
  adjust_sharpness(image, 0);
  CHECK(levels_of(image) == Bytes{13, 13, 13, 13, 18, 13, 13, 13, 13});
  RgbImage row = row_of({1, 200, 3});
  adjust_sharpness(row, 0);
  CHECK(levels_of(row) == Bytes{1, 200, 3});
}
