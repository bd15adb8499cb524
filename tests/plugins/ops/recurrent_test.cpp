#include <ATen/ATen.h>

#include "host/runtime/operator_instance.hpp"
#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;

TEST_CASE("the activations are those of their names", "[ops]") {
  const at::Tensor x = at::randn({3, 2, 5});
  const auto run = [&](const char* name) {
    return OperatorInstance(test::plugins().activation(name), name, {5, 5, 1, false}).forward(x, {});
  };
  CHECK(at::equal(run("none"), at::zeros_like(x)));
  CHECK(at::equal(run("tanh"), x.tanh()));
  CHECK(at::equal(run("relu"), x.relu()));
  CHECK(at::equal(run("sigmoid"), x.sigmoid()));
  CHECK(at::equal(run("identity"), x));
}

TEST_CASE("an activation keeps the width", "[ops][misuse]") {
  for (const char* name : {"none", "tanh", "relu", "sigmoid", "identity"})
    CHECK_THROWS_WITH(OperatorInstance(test::plugins().activation(name), name, {5, 6, 1, false}),
                      Catch::Contains("operator '" + std::string(name) + "': it keeps the number of channels"));
}

}  // namespace
