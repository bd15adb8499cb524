#include "host/data/crops.hpp"

#include <array>
#include <cmath>

#include "tests/catch.hpp"

using namespace mixop;

namespace {

constexpr CropRange kPublished{{0.08, 1.0}, {3.0 / 4, 4.0 / 3}};

}  // namespace

TEST_CASE("a random crop lies in the image and has an allowed area and ratio", "[data][crops]") {
  RandomStream random(3);
  double least = 1, most = 0;
  for (int i = 0; i < 2000; ++i) {
    const Box box = random_crop(300, 400, kPublished, random);
    REQUIRE((box.top >= 0 && box.left >= 0 && box.top + box.height <= 300 && box.left + box.width <= 400));
    const double area = box.height * box.width / 120000.0, ratio = static_cast<double>(box.width) / box.height;
    // Sides are whole pixels, which moves both a little.
    REQUIRE((area > 0.078 && area <= 1.0 && ratio > 0.74 && ratio < 1.35));
    least = std::min(least, area);
    most = std::max(most, area);
  }
  CHECK(least < 0.1);
  CHECK(most > 0.9);
}

TEST_CASE("where no random crop fits, it is the largest central one of an allowed ratio", "[data][crops]") {
  const auto is = [](const Box& box, const Box& expected) {
    return box.top == expected.top && box.left == expected.left && box.height == expected.height &&
           box.width == expected.width;
  };
  RandomStream random(1);
  CHECK(is(random_crop(1, 400, kPublished, random), {0, 199, 1, 1}));
  CHECK(is(random_crop(400, 3, kPublished, random), {198, 0, 4, 3}));
  CHECK(is(random_crop(2, 2, {{0.001, 0.001}, {1, 1}}, random), {0, 0, 2, 2}));
}

TEST_CASE("the central crop rounds as the published transforms do", "[data][crops]") {
  const CentralCrop wide = central_crop(333, 500, 256, 224, 224);
  CHECK(wide.height == 256);
  CHECK(wide.width == 384);  // 256 * 500 / 333 = 384.4
  CHECK(wide.window.top == 16);
  CHECK(wide.window.left == 80);
  const CentralCrop tall = central_crop(500, 333, 256, 224, 223);
  CHECK(tall.height == 384);
  CHECK(tall.width == 256);
  CHECK(tall.window.left == 16);  // 16.5: halves go to the even number
  CHECK(tall.window.width == 223);
}

TEST_CASE("a central crop that is no square shows as much of an image of its proportions as a square one does of a square",
          "[data][crops]") {
  for (const std::int32_t times : {1, 2, 10}) {
    const CentralCrop whole = central_crop(20 * times, 31 * times, 20, 20, 31);
    CHECK(std::array{whole.height, whole.width, whole.window.top, whole.window.left} == std::array{20, 31, 0, 0});
  }
  const CentralCrop framed = central_crop(20, 31, 22, 20, 31);
  CHECK(std::array{framed.height, framed.width, framed.window.top, framed.window.left} == std::array{22, 34, 1, 2});
  const CentralCrop square = central_crop(50, 50, 20, 20, 31);  // which covers the box of 20 x 31
  CHECK(std::array{square.height, square.width, square.window.top, square.window.left} == std::array{31, 31, 6, 0});
  const CentralCrop upright = central_crop(62, 20, 31, 62, 31);
  CHECK(std::array{upright.height, upright.width, upright.window.top, upright.window.left} == std::array{96, 31, 17, 0});
}
