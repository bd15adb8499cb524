#include "mixop/strategy.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"

namespace {

using namespace mixop;

TEST_CASE("a leaf that the loss does not reach has a gradient of zero", "[strategy]") {
  const at::Tensor used = at::tensor({3.0}, at::kDouble).set_requires_grad(true);
  const at::Tensor unused = at::ones({2, 2}, at::kDouble).set_requires_grad(true);
  const auto found = gradients(used.square().sum(), {used, unused});
  CHECK(found[0].item<double>() == 6);
  CHECK(at::equal(found[1], at::zeros({2, 2}, at::kDouble)));
}

TEST_CASE("clipping scales all gradients to the limit, answers the norm before, and leaves small ones alone",
          "[strategy]") {
  std::vector<at::Tensor> gradients{at::tensor({3.0}, at::kDouble), at::tensor({0.0, 4.0}, at::kDouble)};
  CHECK(clip_gradients(gradients, 10) == Approx(5));
  CHECK(gradients[1][1].item<double>() == 4);
  CHECK(clip_gradients(gradients, 0) == Approx(5));
  CHECK(gradients[1][1].item<double>() == 4);
  CHECK(clip_gradients(gradients, 1) == Approx(5));
  CHECK(gradients[0][0].item<double>() == Approx(3.0 / (5 + 1e-6)).epsilon(1e-12));
  std::vector<at::Tensor> none;
  CHECK(clip_gradients(none, 1) == 0);
}

}  // namespace
