#include "mixop/chain.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"

namespace {

using namespace mixop;

TEST_CASE("a chain names its state as a sequence of modules would", "[chain]") {
  Chain chain("op.");
  chain.relu().conv({.in = 2, .out = 4, .kernel = {3, 3}, .padding = {1, 1}}).batch_norm(4, true);
  std::vector<std::string> names;
  for (const StateEntry& entry : chain.state()) names.push_back(entry.name);
  CHECK(names == std::vector<std::string>{"op.1.weight", "op.2.weight", "op.2.bias", "op.2.running_mean",
                                          "op.2.running_var", "op.2.num_batches_tracked"});
}

TEST_CASE("a chain measures the shape that it gives, for every stage", "[chain]") {
  Chain chain;
  chain.relu().conv({.in = 3, .out = 8, .kernel = {3, 5}, .stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 1}});
  chain.max_pool(3, 2, 1).avg_pool(3, 1, 1).factorized_reduce(8, 5).identity().tanh().sigmoid().batch_norm(5, false);
  const at::Tensor y = chain.forward(at::randn({2, 3, 29, 23}), {});
  Cost cost;
  const ImageShape shape = chain.measure({3, 29, 23}, cost);
  CHECK(y.sizes() == at::IntArrayRef({2, shape.channels, shape.height, shape.width}));
  chain.global_avg_pool().linear(5, 7);
  CHECK(chain.forward(at::randn({2, 3, 29, 23}), {}).sizes() == at::IntArrayRef({2, 7}));
}

TEST_CASE("a chain counts parameters and multiply-adds", "[chain]") {
  Chain chain;
  chain.conv({.in = 4, .out = 8, .kernel = {3, 3}, .padding = {1, 1}, .groups = 2}).batch_norm(8, true);
  chain.global_avg_pool().linear(8, 3);
  Cost cost;
  chain.measure({4, 10, 6}, cost);
  CHECK(cost.parameters == 8 * 2 * 9 + 16 + 8 * 3 + 3);
  CHECK(cost.multiply_adds == 10 * 6 * 8 * 2 * 9 + 8 * 3);
}

TEST_CASE("a batch norm counts and averages only in training passes that update statistics", "[chain]") {
  Chain chain;
  chain.batch_norm(2, false);
  const at::Tensor x = at::randn({8, 2, 3, 3}) + 5;
  const at::Tensor mean = chain.state()[0].tensor, count = chain.state()[2].tensor;
  (void)chain.forward(x, {.training = true, .update_statistics = false, .key = 0});
  (void)chain.forward(x, {.training = false, .update_statistics = true, .key = 0});
  CHECK(count.item<std::int64_t>() == 0);
  CHECK(mean.abs().max().item<float>() == 0);
  (void)chain.forward(x, {});
  CHECK(count.item<std::int64_t>() == 1);
  CHECK(at::allclose(mean, x.mean({0, 2, 3}) * 0.1));
}

TEST_CASE("a batch norm refuses to train on a single value for each channel", "[chain][misuse]") {
  Chain chain;
  chain.batch_norm(2, false);
  CHECK_THROWS_WITH(chain.forward(at::randn({1, 2, 1, 1}), {}),
                    Catch::Matchers::StartsWith("a batch norm in training needs more than one value for each channel"));
  CHECK(chain.forward(at::randn({1, 2, 1, 1}), {.training = false, .update_statistics = false, .key = 0})
            .isfinite()
            .all()
            .item<bool>());
}

TEST_CASE("weights start within one over the root of the fan in", "[chain]") {
  Chain chain;
  chain.conv({.in = 16, .out = 64, .kernel = {3, 3}});
  const double bound = 1 / std::sqrt(16.0 * 9);
  const at::Tensor weight = chain.state()[0].tensor;
  CHECK(weight.abs().max().item<double>() <= bound);
  CHECK(weight.abs().max().item<double>() > 0.95 * bound);
  CHECK(std::abs(weight.mean().item<double>()) < 0.05 * bound);
}

}  // namespace
