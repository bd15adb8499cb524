#include <ATen/ATen.h>

#include "mixop/structure_size.hpp"
#include "tests/support/primitive_fixture.hpp"

namespace {

using namespace mixop;

TEST_CASE("the twelve DARTOpti operations agree with the published code in double precision", "[ops][parity]") {
  CHECK(test::check_primitives("g_primitives_ddarts12.h5") >= 24);
}

TEST_CASE("the DARTOpti operations are structures with a cost", "[ops]") {
  const std::int64_t c = 16, pixels = 16 * 16;
  const std::pair<const char*, std::int64_t> weights_a_pixel[] = {{"conv_3x1_1x3", 2 * 3 * c * c},
                                                                  {"simple_conv_1x1", c * c},
                                                                  {"simple_conv_3x3", 9 * c * c},
                                                                  {"bottleneck_1x3x1", (1 + 9 + 4 + 4) * c * c}};
  for (const auto& [name, weights] : weights_a_pixel) {
    INFO(name);
    CHECK_FALSE(has_own_code(test::plugins().op(name)));
    const auto structure = structure_of(test::plugins().op(name), name, {c, c, 1, false});
    CHECK(size_of(structure.value(), {c, 16, 16}).parameters == weights);
    CHECK(size_of(structure.value(), {c, 16, 16}).multiply_adds == weights * pixels);
  }
}

TEST_CASE("odd sizes are halved upwards by every DARTOpti operation of stride 2, to other channels", "[ops]") {
  for (const std::string name : {"conv_3x1_1x3", "simple_conv_1x1", "simple_conv_3x3", "bottleneck_1x3x1"}) {
    INFO(name);
    const OperatorInstance operation(test::plugins().op(name), name, {4, 6, 2, false});
    CHECK(operation.forward(at::randn({2, 4, 7, 9}), {}).sizes() == at::IntArrayRef({2, 6, 4, 5}));
  }
}

}  // namespace
