#include <ATen/ATen.h>

#include "mixop/structure_size.hpp"
#include "tests/support/primitive_fixture.hpp"

namespace {

using namespace mixop;

TEST_CASE("every DARTS operation agrees with the published code in double precision", "[ops][parity]") {
  CHECK(test::check_primitives("a_primitives_darts.h5") >= 10);
}

TEST_CASE("the DARTS operations are structures with a cost", "[ops]") {
  for (const char* name : {"none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5",
                           "sep_conv_7x7", "dil_conv_3x3", "dil_conv_5x5", "conv_7x1_1x7"}) {
    INFO(name);
    CHECK_FALSE(has_own_code(test::plugins().op(name)));
    CHECK(structure_of(test::plugins().op(name), name, {16, 16, 1, false}).has_value());
  }
  const auto separable = structure_of(test::plugins().op("sep_conv_3x3"), "sep_conv_3x3", {16, 16, 2, false});
  CHECK(size_of(*separable, {16, 32, 32}).multiply_adds == 2 * 16 * 16 * (16 * 9 + 16 * 16));
  CHECK(size_of(*separable, {16, 32, 32}).parameters == 2 * (16 * 9 + 16 * 16));
}

TEST_CASE("convolutions of DARTS change the number of channels in their first stages", "[ops]") {
  for (const std::int64_t stride : {1, 2})
    for (const std::string name :
         {"sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "dil_conv_3x3", "dil_conv_5x5", "conv_7x1_1x7"}) {
      INFO(name << ", stride " << stride);
      const OperatorInstance operation(test::plugins().op(name), name, {4, 6, stride, true});
      const std::int64_t side = 8 / stride;
      CHECK(operation.forward(at::randn({2, 4, 8, 8}), {}).sizes() == at::IntArrayRef({2, 6, side, side}));
    }
  const auto separable = structure_of(test::plugins().op("sep_conv_3x3"), "sep_conv_3x3", {4, 6, 1, false});
  CHECK(size_of(*separable, {4, 8, 8}).parameters == 4 * 9 + 4 * 6 + 6 * 9 + 6 * 6);
}

TEST_CASE("what DARTS' other operations do not serve they say", "[ops][misuse]") {
  const auto made = [](const std::string& name, std::int64_t stride) {
    return OperatorInstance(test::plugins().op(name), name, {4, 6, stride, false});
  };
  for (const std::int64_t stride : {1, 2})
    for (const char* name : {"none", "max_pool_3x3", "avg_pool_3x3"})
      CHECK_THROWS_WITH(made(name, stride),
                        "operator '" + std::string(name) +
                            "': it keeps the number of channels; expected as many out as in, found 4 in and 6 out. Put a "
                            "convolution before or after it");
  CHECK_THROWS_WITH(made("skip_connect", 1), Catch::Contains("it keeps the number of channels"));
  CHECK(made("skip_connect", 2).forward(at::randn({2, 4, 8, 8}), {}).sizes() == at::IntArrayRef({2, 6, 4, 4}));
}

TEST_CASE("odd sizes are halved upwards by every operation of stride 2", "[ops]") {
  for (const std::string name :
       {"none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_5x5", "dil_conv_3x3", "conv_7x1_1x7"}) {
    INFO(name);
    const OperatorInstance operation(test::plugins().op(name), name, {4, 4, 2, false});
    CHECK(operation.forward(at::randn({2, 4, 7, 9}), {}).sizes() == at::IntArrayRef({2, 4, 4, 5}));
  }
}

}  // namespace
