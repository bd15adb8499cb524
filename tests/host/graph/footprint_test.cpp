#include "host/graph/footprint.hpp"

#include <limits>

#include "tests/catch.hpp"

namespace {

using namespace mixop;

MeasuredNetwork network_of(std::int64_t parameters, std::int64_t activations) {
  MeasuredNetwork network;
  network.parts = {{"cells.0", "normal", {}, {parameters, 0, activations}}, {"auxiliary_head", "", {}, {10, 0, 8}}};
  network.parts.back().training_only = true;
  return network;
}

TEST_CASE("a footprint has the weights with their copies and an eighth of the activations of every sample",
          "[graph][memory]") {
  const Footprint found = footprint(network_of(100, 64), {8, 4, 3, 2});
  CHECK(found.weights == 110 * 4 * 3);
  CHECK(found.activations == (8 + 1) * 8 * 2);
  CHECK(found.total() == found.weights + found.activations);
  CHECK(footprint(network_of(100, 60), {}).total() == 440);
}

TEST_CASE("a footprint beyond all numbers is the largest", "[graph][memory][hostile]") {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const Footprint found = footprint(network_of(kMost / 2, kMost - 10), {1000, 4, 3, 4});
  CHECK(found.weights == kMost);
  CHECK(found.activations == kMost);
  CHECK(found.total() == kMost);
}

}  // namespace
