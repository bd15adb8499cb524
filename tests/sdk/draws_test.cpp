#include "mixop/draws.hpp"

#include <ATen/ATen.h>

#include "mixop/random.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;

TEST_CASE("numbers drawn on a device are those of the random stream of their key", "[sdk][random]") {
  for (const std::uint64_t key : {std::uint64_t{0}, std::uint64_t{17}, ~std::uint64_t{0}, key_of({3, 1})}) {
    RandomStream stream(key);
    const at::Tensor drawn = uniform_numbers({7, 3}, key, at::empty({0}, at::kDouble));
    REQUIRE(drawn.sizes() == at::IntArrayRef({7, 3}));
    for (std::int64_t i = 0; i < drawn.numel(); ++i) CHECK(drawn.view(-1)[i].item<double>() == stream.uniform());
  }
}

TEST_CASE("numbers are drawn on the meta device, too, in the type that is asked for", "[sdk][random]") {
  const auto like = at::empty({0}, at::TensorOptions(at::kFloat).device(at::kMeta));
  const at::Tensor drawn = uniform_numbers({4}, 5, like);
  CHECK((drawn.is_meta() && drawn.scalar_type() == at::kFloat && drawn.sizes() == at::IntArrayRef({4})));
}

}  // namespace
