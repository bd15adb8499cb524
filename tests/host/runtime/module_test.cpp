#include "host/runtime/module.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/catch.hpp"

namespace {

using namespace mixop;
using Catch::Matchers::Contains;

const Target kDouble{at::kCPU, at::kDouble};
constexpr Forward kFrozen{.training = true, .update_statistics = false, .key = 0};

at::Tensor tensor(const Module& module, const std::string& name) {
  for (const StateEntry& entry : module.state())
    if (entry.name == name) return entry.tensor;
  throw std::runtime_error("no tensor " + name);
}

TEST_CASE("a norm over one value a channel is refused in training", "[runtime][misuse]") {
  const Module norm(Structure().name("bn").batch_norm(3, true));
  CHECK_THROWS_WITH(norm.forward(at::randn({1, 3, 1, 1}), {}),
                    Contains("more than one value for each channel, found one: a 1x1 map of one image"));
}

TEST_CASE("a squeeze-and-excitation block is a structure", "[runtime]") {
  Structure block;
  block.conv({.in = 4, .out = 4});
  const int features = block.here();
  block.global_avg_pool().conv({.in = 4, .out = 2, .bias = true}).relu().conv({.in = 2, .out = 4, .bias = true});
  block.sigmoid().multiply(features);
  const Module module(block, kDouble);
  const at::Tensor x = at::randn({2, 4, 5, 5}, at::kDouble);
  const at::Tensor y = at::conv2d(x, tensor(module, "0.weight"));
  at::Tensor scale = at::conv2d(y.mean({2, 3}, true), tensor(module, "2.weight"), tensor(module, "2.bias")).relu();
  scale = at::conv2d(scale, tensor(module, "4.weight"), tensor(module, "4.bias")).sigmoid();
  CHECK(at::allclose(module.forward(x, kFrozen), y * scale, 1e-12, 1e-12));
}

TEST_CASE("a ghost module, a residual and a shuffle are structures", "[runtime]") {
  Structure ghost;
  ghost.conv({.in = 4, .out = 2});
  const int primary = ghost.here();
  ghost.conv({.in = 2, .out = 2, .kernel = {3, 3}, .padding = {1, 1}, .groups = 2});
  ghost.concat({primary, ghost.here()}).shuffle(2).add(0);
  const Module module(ghost, kDouble);
  const at::Tensor x = at::randn({2, 4, 6, 6}, at::kDouble);
  const at::Tensor one = at::conv2d(x, tensor(module, "0.weight"));
  const at::Tensor two = at::conv2d(one, tensor(module, "1.weight"), {}, 1, 1, 1, 2);
  const at::Tensor both = at::stack({one.select(1, 0), two.select(1, 0), one.select(1, 1), two.select(1, 1)}, 1);
  CHECK(at::allclose(module.forward(x, kFrozen), both + x, 1e-12, 1e-12));
}

TEST_CASE("a value that several stages read is not overwritten", "[runtime]") {
  Structure block;
  block.conv({.in = 2, .out = 2});
  const int shared = block.here();
  block.relu().add(shared);
  const Module module(block, kDouble);
  const at::Tensor x = at::randn({1, 2, 3, 3}, at::kDouble), y = at::conv2d(x, tensor(module, "0.weight"));
  CHECK(at::allclose(module.forward(x, kFrozen), y.relu() + y, 1e-12, 1e-12));
}

TEST_CASE("odd sides are halved with zeros beyond the far end", "[runtime]") {
  const Module reduce(Structure().factorized_reduce(1, 2), kDouble);
  const at::Tensor x = at::ones({1, 1, 3, 3}, at::kDouble), y = reduce.forward(x, kFrozen);
  REQUIRE(y.sizes() == at::IntArrayRef({1, 2, 2, 2}));
  CHECK(y[0][1][0][0].item<double>() == tensor(reduce, "conv_2.weight").item<double>());
  CHECK(y[0][1][1][1].item<double>() == 0);
}

TEST_CASE("weights do not depend on the type that they are made for", "[runtime]") {
  const auto weights = [](const Target& target) {
    at::manual_seed(9);
    return tensor(Module(Structure().conv({.in = 3, .out = 5, .kernel = {3, 3}}), target), "0.weight");
  };
  CHECK(at::equal(weights({}).to(at::kDouble), weights(kDouble)));
}

}  // namespace
