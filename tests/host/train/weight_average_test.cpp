#include "host/train/weight_average.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"

using namespace mixop;

TEST_CASE("the average of k steps is the mean of the weights behind steps 2 to k", "[train][average]") {
  const at::Tensor weight = at::randn({3, 2}, at::kDouble);
  WeightAverage average({weight});
  CHECK(at::equal(average.means()[0], weight));
  at::Tensor sum = at::zeros_like(weight);
  for (int step = 1; step <= 6; ++step) {
    weight.copy_(at::randn_like(weight));
    average.add();
    if (step == 1) {
      CHECK(at::allclose(average.means()[0], weight, 1e-14, 0));
      continue;
    }
    sum += weight;
    CHECK(at::allclose(average.means()[0], sum / (step - 1), 1e-12, 1e-14));
  }
  CHECK(average.steps() == 6);
}

TEST_CASE("exchanged values come back to the bit", "[train][average]") {
  const at::Tensor a = at::randn({4}), b = at::randn({4}), first = a.clone(), second = b.clone();
  {
    const Exchanged exchanged({a}, {b});
    CHECK(at::equal(a, second));
    CHECK(at::equal(b, first));
  }
  CHECK(at::equal(a, first));
  CHECK(at::equal(b, second));
}
