#include "host/data/colours.hpp"

#include <map>
#include <vector>

#include "tests/catch.hpp"

using namespace mixop;

namespace {

using Bytes = std::vector<std::uint8_t>;

template <class Change>
Bytes changed(Bytes pixels, Change&& change) {
  change(pixels);
  return pixels;
}

}  // namespace

TEST_CASE("brightness goes to black, contrast to the mean grey, saturation to a pixel's grey", "[data][colours]") {
  const Bytes pixels = {200, 100, 50, 0, 0, 0};
  CHECK(changed(pixels, [](Bytes& p) { adjust_brightness(p, 0.5f); }) == Bytes{100, 50, 25, 0, 0, 0});
  CHECK(changed(pixels, [](Bytes& p) { adjust_brightness(p, 2.0f); }) == Bytes{255, 200, 100, 0, 0, 0});
  // Greys are 124 and 0, so their mean is 62.
  CHECK(changed(pixels, [](Bytes& p) { adjust_contrast(p, 0.0f); }) == Bytes(6, 62));
  CHECK(changed(pixels, [](Bytes& p) { adjust_saturation(p, 0.0f); }) == Bytes{124, 124, 124, 0, 0, 0});
  for (const auto adjust : {adjust_brightness, adjust_contrast, adjust_saturation})
    CHECK(changed(pixels, [&](Bytes& p) { adjust(p, 1.0f); }) == pixels);
}

TEST_CASE("a third of the circle turns red into green", "[data][colours]") {
  CHECK(changed({255, 0, 0}, [](Bytes& p) { shift_hue(p, 1.0 / 3); }) == Bytes{0, 255, 0});
  // A hue has 256 steps, a turn 255 of them.
  CHECK(changed({255, 0, 0}, [](Bytes& p) { shift_hue(p, -1.0 / 3); }) == Bytes{6, 0, 255});
  CHECK(changed({90, 90, 90}, [](Bytes& p) { shift_hue(p, 0.4); }) == Bytes{90, 90, 90});
}

TEST_CASE("jitter of strength 0 changes nothing", "[data][colours]") {
  RandomStream random(1);
  const Bytes pixels = {200, 100, 50, 3, 2, 1};
  CHECK(changed(pixels, [&](Bytes& p) { jitter_colours(p, {}, random); }) == pixels);
}

TEST_CASE("brightness factors are uniform and never below 0", "[data][colours]") {
  std::map<int, int> seen;
  for (std::uint64_t key = 0; key < 4000; ++key) {
    RandomStream random(key);
    const Bytes pixels = changed({100, 100, 100}, [&](Bytes& p) { jitter_colours(p, {1.5, 0, 0, 0}, random); });
    ++seen[pixels[0] / 50];  // factors from 0 to 2.5
  }
  REQUIRE(seen.size() == 5);
  // 800 expected a fifth, standard deviation 25.
  for (const auto& [fifth, times] : seen) CHECK(std::abs(times - 800) < 125);
}
