#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "host/runtime/candidates.hpp"
#include "mixop/gradients.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;
using Tensors = std::vector<at::Tensor>;

at::Tensor plain(const at::Tensor& weights, const Tensors& terms) {
  at::Tensor sum;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    const at::Tensor term = terms[k].mul(weights[static_cast<std::int64_t>(k)]);
    sum = sum.defined() ? sum.add(term) : term;
  }
  return sum;
}

struct Leaves {
  explicit Leaves(at::MemoryFormat format) : weights(at::randn({3}, at::kDouble).set_requires_grad(true)) {
    for (int k = 0; k < 3; ++k)
      terms.push_back(at::randn({2, 3, 4, 5}, at::kDouble).contiguous(format).set_requires_grad(true));
  }
  Tensors all() const {
    Tensors leaves{weights};
    leaves.insert(leaves.end(), terms.begin(), terms.end());
    return leaves;
  }
  at::Tensor weights;
  Tensors terms;
};

void check_close(const Tensors& found, const Tensors& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(at::allclose(found[i], expected[i], 1e-12, 1e-12));
}

TEST_CASE("a weighted sum and its gradients are those of products and sums, in either layout", "[runtime]") {
  for (const at::MemoryFormat format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    const Leaves leaves(format);
    const at::Tensor found = weighted_sum(leaves.weights, leaves.terms);
    const at::Tensor expected = plain(leaves.weights, leaves.terms);
    CHECK(found.is_contiguous(format));
    CHECK(at::allclose(found, expected, 1e-13, 1e-13));
    const at::Tensor scale = at::randn({2, 3, 4, 5}, at::kDouble);
    check_close(gradients((found * scale).sum(), leaves.all()), gradients((expected * scale).sum(), leaves.all()));
  }
}

TEST_CASE("terms of mixed layouts are summed entry by entry", "[runtime]") {
  Leaves leaves(at::MemoryFormat::Contiguous);
  leaves.terms[1] =
      at::randn({2, 3, 4, 5}, at::kDouble).contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  const at::Tensor found = weighted_sum(leaves.weights, leaves.terms);
  const at::Tensor expected = plain(leaves.weights, leaves.terms);
  check_close(gradients(found.square().sum(), leaves.all()), gradients(expected.square().sum(), leaves.all()));
}

TEST_CASE("a weighted sum is differentiable twice", "[runtime]") {
  const Leaves leaves(at::MemoryFormat::Contiguous);
  const auto second = [&](const at::Tensor& sum) {
    const Tensors first = torch::autograd::grad({sum.pow(3).sum()}, leaves.all(), {}, true, /*create_graph=*/true);
    at::Tensor total = first[0].square().sum();
    for (std::size_t k = 1; k < first.size(); ++k) total = total + first[k].square().sum();
    return gradients(total, leaves.all());
  };
  check_close(second(weighted_sum(leaves.weights, leaves.terms)),
              second(plain(leaves.weights, leaves.terms)));
}

TEST_CASE("only what needs a gradient is kept and differentiated", "[runtime]") {
  Leaves leaves(at::MemoryFormat::Contiguous);
  leaves.weights.set_requires_grad(false);
  CHECK(gradients(weighted_sum(leaves.weights, leaves.terms).sum(), leaves.terms).size() == 3);
  for (const at::Tensor& term : leaves.terms) term.set_requires_grad(false);
  CHECK_FALSE(weighted_sum(leaves.weights, leaves.terms).requires_grad());
}

}  // namespace
