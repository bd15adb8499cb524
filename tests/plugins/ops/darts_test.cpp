#include <ATen/ATen.h>

#include "tests/support/primitive_fixture.hpp"

namespace {

using namespace mixop;

TEST_CASE("every DARTS operation agrees with the published code in double precision", "[ops][parity]") {
  CHECK(test::check_primitives("a_primitives_darts.h5") >= 10);
}

TEST_CASE("the DARTS operations tell their structure and a cost", "[ops]") {
  for (const char* name : {"none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5",
                           "sep_conv_7x7", "dil_conv_3x3", "dil_conv_5x5", "conv_7x1_1x7"}) {
    INFO(name);
    const OperatorInstance operation(test::plugins().op(name), name, {16, 1, false});
    CHECK_FALSE(operation.structure().empty());
    CHECK(operation.cost({16, 32, 32}).uncounted.empty());
  }
  const OperatorInstance separable(test::plugins().op("sep_conv_3x3"), "sep_conv_3x3", {16, 2, false});
  CHECK(separable.cost({16, 32, 32}).multiply_adds == 2 * 16 * 16 * (16 * 9 + 16 * 16));
  CHECK(separable.cost({16, 32, 32}).parameters == 2 * (16 * 9 + 16 * 16));
}

TEST_CASE("odd sizes are halved upwards by every operation of stride 2", "[ops]") {
  for (const std::string name :
       {"none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_5x5", "dil_conv_3x3", "conv_7x1_1x7"}) {
    INFO(name);
    const OperatorInstance operation(test::plugins().op(name), name, {4, 2, false});
    CHECK(operation.forward(at::randn({2, 4, 7, 9}), {}).sizes() == at::IntArrayRef({2, 4, 4, 5}));
  }
}

}  // namespace
