#include "host/runtime/candidates.hpp"

#include <ATen/ATen.h>

#include "host/graph/operator_catalog.hpp"
#include "tests/catch.hpp"
#include "tests/support/one_operator.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;

Candidate candidate(const std::string& name, std::int64_t stride = 1) {
  return Candidate(RegistryCatalog(test::plugins()), name, {3, 3, stride, /*affine=*/false}, /*pools_normalised=*/true,
                   {}, "edge");
}

const at::Tensor& buffer(const Candidate& of, const std::string& name) {
  for (const StateEntry& entry : of.state())
    if (entry.name == name) return entry.tensor;
  throw std::runtime_error("no buffer " + name);
}

TEST_CASE("candidates share the stages without state that they begin with", "[runtime]") {
  SharedStart relu(candidate("sep_conv_3x3"));
  CHECK(relu.admit(candidate("dil_conv_5x5")));
  CHECK(relu.admit(candidate("sep_conv_5x5", 2)));
  CHECK_FALSE(relu.admit(candidate("max_pool_3x3")));
  CHECK_FALSE(SharedStart::exists(candidate("skip_connect")));
  SharedStart pool(candidate("max_pool_3x3", 2));
  CHECK(pool.admit(candidate("max_pool_3x3", 2)));
  CHECK_FALSE(pool.admit(candidate("max_pool_3x3", 1)));
  CHECK_FALSE(pool.admit(candidate("avg_pool_3x3", 2)));
  CHECK_FALSE(pool.admit(candidate("sep_conv_3x3")));
}

TEST_CASE("a shared start and the rest of each candidate give what each alone does, statistics included",
          "[runtime]") {
  const at::Tensor x = at::randn({4, 3, 9, 9});
  const char* const kinds[] = {"max_pool_3x3", "avg_pool_3x3", "sep_conv_3x3"};
  for (const bool training : {true, false})
    for (const char* kind : kinds) {
      INFO(kind << (training ? " training" : " evaluation"));
      Forward how;
      how.training = training;
      const Candidate alone = candidate(kind, 2), first = candidate(kind, 2), second = candidate(kind, 2);
      for (const Candidate* other : {&first, &second})
        for (std::size_t i = 0; i < alone.state().size(); ++i)
          other->state()[i].tensor.data().copy_(alone.state()[i].tensor);
      SharedStart shared(first);
      REQUIRE(shared.admit(second));
      const at::Tensor start = shared.forward(x, how), expected = alone.forward(x, how);
      for (const Candidate* one : {&first, &second}) {
        CHECK(at::allclose(one->module().forward(start, how, shared.stages(how)), expected, 1e-5, 1e-6));
        for (std::size_t i = 0; i < alone.state().size(); ++i)
          CHECK(at::allclose(one->state()[i].tensor.to(at::kDouble), alone.state()[i].tensor.to(at::kDouble), 1e-5,
                             1e-6));
      }
    }
}

TEST_CASE("a pass without statistics leaves them alone", "[runtime]") {
  const Candidate pool = candidate("avg_pool_3x3");
  Forward how;
  how.update_statistics = false;
  (void)SharedStart(pool).forward(at::randn({4, 3, 8, 8}) + 5, how);
  CHECK(at::equal(buffer(pool, "1.running_mean"), at::zeros({3})));
  CHECK(buffer(pool, "1.num_batches_tracked").item<std::int64_t>() == 0);
}

TEST_CASE("a pool keeps its output where its choice does not normalise pools", "[runtime]") {
  const Candidate pool(RegistryCatalog(test::plugins()), "avg_pool_3x3", {3, 3, 1, false}, /*pools_normalised=*/false,
                       {}, "edge");
  CHECK(pool.state().empty());
  const at::Tensor x = at::randn({2, 3, 5, 5});
  CHECK(at::equal(pool.forward(x, {}), at::avg_pool2d(x, 3, 1, 1, false, /*count_include_pad=*/false)));
}

TEST_CASE("a stage behind that reads an earlier value keeps it out of the shared start", "[runtime]") {
  Structure residual;
  residual.relu().conv({.in = 3, .out = 3}).add(0);
  const test::OneOperator catalog("residual", residual);
  CHECK_FALSE(SharedStart::exists(Candidate(catalog, "residual", {3, 3, 1, false}, true, {}, "edge")));
}

}  // namespace
