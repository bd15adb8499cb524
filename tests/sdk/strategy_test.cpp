#include "mixop/strategy.hpp"

#include <ATen/ATen.h>

#include "mixop/gradients.hpp"
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

TEST_CASE("clipping scales all gradients to the limit, returns the coefficient, and leaves small ones alone",
          "[strategy]") {
  const std::vector<at::Tensor> gradients{at::tensor({3.0}, at::kDouble), at::tensor({0.0, 4.0}, at::kDouble)};
  CHECK(norm_of(gradients).item<double>() == Approx(5));
  CHECK(clip(gradients, 10).item<double>() == Approx(10 / (5 + 1e-6)).epsilon(1e-12));
  CHECK(gradients[1][1].item<double>() == 4);
  CHECK(clip(gradients, 0).item<double>() == 1);
  CHECK(gradients[1][1].item<double>() == 4);
  CHECK(clip(gradients, 1).item<double>() == Approx(1 / (5 + 1e-6)).epsilon(1e-12));
  CHECK(gradients[0][0].item<double>() == Approx(3.0 / (5 + 1e-6)).epsilon(1e-12));
  CHECK(norm_of({}).item<double>() == 0);
  CHECK(clip({}, 1).item<double>() == 1);
}

TEST_CASE("norms and coefficients are scalars on the gradients' device, and nothing waits for it", "[strategy]") {
  const std::vector<at::Tensor> gradients{at::empty({3}, at::TensorOptions(at::kMeta).dtype(at::kFloat))};
  for (const at::Tensor& found : {norm_of(gradients), clip(gradients, 1), clip(gradients, 0)}) {
    CHECK(found.dim() == 0);
    CHECK(found.scalar_type() == at::kDouble);
    CHECK(found.is_meta());
  }
}

TEST_CASE("every slot has a name and an interface of its own, and a way to be empty or a need to be filled",
          "[strategy]") {
  for (std::size_t i = 0; i < strategy_slots.size(); ++i) {
    const StrategySlot& slot = strategy_slots[i];
    INFO(slot.name);
    CHECK(slot_index(slot.name) == i);
    CHECK(std::string(slot.interface_id) == "mixop." + std::string(slot.name) + "/1");
    CHECK_FALSE(slot.part_does.empty());
  }
  CHECK(slot_index("edge_transform") == strategy_slots.size());
}

}  // namespace
