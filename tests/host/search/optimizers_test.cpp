#include "host/search/optimizers.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"

namespace {

using namespace mixop;

TEST_CASE("SGD follows its closed form over several steps", "[search][optimizer]") {
  const at::Tensor live = at::randn({50}, at::kDouble), gradient = at::randn({50}, at::kDouble);
  at::Tensor weight = live.clone(), momentum = at::zeros_like(weight);
  Sgd sgd({live}, 0.9, 0.01);
  for (int step = 0; step < 4; ++step) {
    momentum = 0.9 * momentum + gradient + 0.01 * weight;
    weight = weight - 0.1 * momentum;
    sgd.step({gradient}, 0.1);
  }
  CHECK(at::allclose(live, weight, 1e-13, 1e-13));
  CHECK(at::allclose(sgd.momenta()[0], momentum, 1e-13, 1e-13));
}

TEST_CASE("SGD without momentum is plain gradient descent", "[search][optimizer]") {
  const at::Tensor live = at::ones({3}, at::kDouble);
  Sgd sgd({live}, 0.0, 0.5);
  sgd.step({at::ones({3}, at::kDouble)}, 0.1);
  CHECK(at::allclose(live, at::full({3}, 1 - 0.1 * 1.5, at::kDouble), 1e-15, 1e-15));
}

TEST_CASE("gradients in another memory layout than their weights' are understood", "[search][optimizer]") {
  const at::Tensor weight = at::randn({4, 3, 2, 2}, at::kDouble), gradient = at::randn({4, 3, 2, 2}, at::kDouble);
  const at::Tensor expected = weight - 0.1 * gradient;
  Sgd({weight}, 0.0, 0.0).step({gradient.contiguous(at::MemoryFormat::ChannelsLast)}, 0.1);
  CHECK(at::allclose(weight, expected, 1e-15, 1e-15));
}

TEST_CASE("Adam follows its closed form over several steps", "[search][optimizer]") {
  const at::Tensor live = at::randn({50}, at::kDouble);
  at::Tensor weight = live.clone(), first = at::zeros_like(weight), second = at::zeros_like(weight);
  Adam adam({live}, {0.5, 0.999}, 0.001);
  for (int step = 1; step <= 5; ++step) {
    const at::Tensor gradient = at::randn({50}, at::kDouble);
    const at::Tensor decayed = gradient + 0.001 * weight;
    first = 0.5 * first + 0.5 * decayed;
    second = 0.999 * second + 0.001 * decayed * decayed;
    weight =
        weight - 0.01 * (first / (1 - std::pow(0.5, step))) / ((second / (1 - std::pow(0.999, step))).sqrt() + 1e-8);
    adam.step({gradient}, 0.01);
  }
  CHECK(at::allclose(live, weight, 1e-12, 1e-12));
  CHECK(adam.steps()[0].item<double>() == 5);
}

TEST_CASE("the cosine schedule starts at the rate and passes the middle half-way", "[search]") {
  CHECK(cosine_rate(0.025, 0.001, 0, 50) == Approx(0.025));
  CHECK(cosine_rate(0.025, 0.001, 25, 50) == Approx(0.013));
  CHECK(cosine_rate(0.025, 0.001, 49, 50) == Approx(0.001 + 0.024 * (1 + std::cos(M_PI * 0.98)) / 2));
}

}  // namespace
