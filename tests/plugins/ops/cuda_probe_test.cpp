#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <boost/dll/shared_library.hpp>

#include "host/runtime/operator_instance.hpp"
#include "mixop/abi/plugin.h"
#include "plugins/ops/cuda_probe/no_cuda.cpp"
#include "tests/catch.hpp"

namespace mixop {
namespace {

const MixopOperator& probe() {
  static boost::dll::shared_library library(MIXOP_PLUGIN_BUILD_DIR "/mixop_ops_cuda_probe.so");
  const auto entry = library.get<const MixopPluginDescriptor*()>(MIXOP_PLUGIN_SYMBOL);
  return *static_cast<const MixopOperator*>(entry()->components[0].table);
}

OperatorInstance make(std::int64_t stride) { return OperatorInstance(probe(), "cuda_probe", OpSpec{3, 3, stride, false}); }

at::Tensor run(std::int64_t stride, const at::Tensor& input) { return make(stride).forward(input, Forward{}); }

at::Tensor subsampled(const at::Tensor& input, std::int64_t stride) {
  return input.slice(2, 0, c10::nullopt, stride).slice(3, 0, c10::nullopt, stride);
}

/// The CPU, and a CUDA device where there is one.
std::vector<at::Device> devices() {
  std::vector<at::Device> found{at::kCPU};
  if (at::hasCUDA()) found.emplace_back(at::kCUDA, 0);
  return found;
}

}  // namespace

TEST_CASE("the probe is the identity, subsampled by its stride", "[cuda_probe]") {
  for (const at::Device device : devices())
    for (const at::ScalarType type : {at::kHalf, at::kFloat, at::kDouble})
      for (const std::int64_t stride : {1, 2}) {
        const at::Tensor input = at::randn({2, 3, 7, 8}, at::kDouble).to(type).to(device);
        CAPTURE(device.str(), c10::toString(type), stride);
        CHECK(at::equal(run(stride, input), subsampled(input, stride)));
        const at::Tensor channels_last = input.contiguous(at::MemoryFormat::ChannelsLast);
        CHECK(at::equal(run(stride, channels_last), subsampled(input, stride)));
      }
}

TEST_CASE("the probe's exported backward is the gradient of the subsampling", "[cuda_probe]") {
  for (const at::Device device : devices())
    for (const std::int64_t stride : {1, 2}) {
      const at::Tensor input = at::randn({2, 3, 5, 6}, at::kDouble).to(device).set_requires_grad(true);
      const at::Tensor weight = at::randn_like(subsampled(input, stride));
      const auto found = torch::autograd::grad({(run(stride, input) * weight).sum()}, {input});
      const auto expected = torch::autograd::grad({(subsampled(input, stride) * weight).sum()}, {input});
      CAPTURE(device.str(), stride);
      CHECK(at::equal(found[0], expected[0]));
    }
}

TEST_CASE("the probe takes a gradient that is one expanded number, and an empty batch", "[cuda_probe]") {
  for (const at::Device device : devices()) {
    const at::Tensor input = at::randn({2, 3, 5, 6}).to(device).set_requires_grad(true);
    const auto found = torch::autograd::grad({run(2, input).sum()}, {input});
    CHECK(found[0].sum().item<double>() == 2 * 3 * 3 * 3);
    CHECK(run(2, at::randn({0, 3, 5, 6}).to(device)).sizes() == at::IntArrayRef({0, 3, 3, 3}));
  }
}

TEST_CASE("the probe refuses what is no batch of images of floating numbers", "[cuda_probe][misuse]") {
  CHECK_THROWS_WITH(run(1, at::randn({3, 4, 4})),
                    Catch::Contains("expected a tensor [N, C, H, W], found one of 3 dimensions"));
  CHECK_THROWS_WITH(run(1, at::zeros({1, 3, 4, 4}, at::kByte)),
                    Catch::Contains("expected elements of 2, 4 or 8 bytes, found 1"));
  CHECK_THROWS_WITH(run(1, at::empty({1, 3, 4, 4}, at::TensorOptions(at::kMeta))),
                    Catch::Contains("expected a tensor on the CPU or a CUDA device"));
}

TEST_CASE("the probe keeps the number of channels and has nothing to learn", "[cuda_probe]") {
  CHECK_THROWS_WITH(OperatorInstance(probe(), "cuda_probe", OpSpec{3, 4, 1, false}),
                    Catch::Contains("expected as many out as in, found 3 in and 4 out"));
  const auto cost = cost_of(probe(), "cuda_probe", OpSpec{3, 3, 2, false}, {3, 7, 8});
  REQUIRE(cost.has_value());
  CHECK(cost->parameters == 0);
  CHECK(cost->multiply_adds == 0);
  CHECK(cost->activations == 3 * 4 * 4);
}

TEST_CASE("a build without nvcc says that it has no kernel", "[cuda_probe][misuse]") {
  CHECK_THROWS_WITH(cuda_probe::copy_on_cuda({}, 0),
                    Catch::Contains("has no CUDA kernel") && Catch::Contains("rebuild where nvcc is found"));
}

}  // namespace mixop
