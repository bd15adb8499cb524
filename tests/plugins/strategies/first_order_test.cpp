#include <ATen/ATen.h>

#include "tests/catch.hpp"
#include "tests/support/stored_search.hpp"

namespace {

using namespace mixop;

TEST_CASE("ten first-order steps agree with the published code in double precision", "[search][parity]") {
  const test::Fixture fixture("c_small_steps.h5");
  test::StoredSearch search(fixture, "first_order");
  test::check_steps(fixture, search, "first");
}

TEST_CASE("the alpha step records nothing for the weights, and the weight step nothing for the alphas", "[search]") {
  const test::Fixture fixture("c_small_steps.h5");
  test::StoredSearch search(fixture, "first_order");
  search.set_step(fixture, 0);
  (void)search.problem.valid_loss(Wrt::alphas, true);
  for (const at::Tensor& weight : search.problem.weights()) CHECK_FALSE(weight.requires_grad());
  (void)search.problem.weight_loss();
  for (const at::Tensor& alpha : search.problem.alphas()) CHECK_FALSE(alpha.requires_grad());
  CHECK_FALSE(search.problem.train_loss(Wrt::nothing, false).requires_grad());
}

}  // namespace
