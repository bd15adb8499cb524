#include "host/train/schedule.hpp"

#include "tests/catch.hpp"

using namespace mixop;

TEST_CASE("the cosine begins at the rate and falls to the least one", "[train]") {
  WeightsConfig weights;
  weights.lr = 0.1;
  weights.lr_min = 0.02;
  CHECK(learning_rate(weights, 0, 8) == Approx(0.1).epsilon(1e-15));
  CHECK(learning_rate(weights, 4, 8) == Approx(0.06).epsilon(1e-15));
  CHECK(learning_rate(weights, 8, 8) == Approx(0.02).epsilon(1e-15));
}

TEST_CASE("the exponential schedule multiplies by gamma after every epoch", "[train]") {
  WeightsConfig weights;
  weights.schedule = "exponential";
  weights.lr = 0.1;
  weights.gamma = 0.97;
  CHECK(learning_rate(weights, 0, 250) == 0.1);
  CHECK(learning_rate(weights, 1, 250) == Approx(0.097).epsilon(1e-15));
  CHECK(learning_rate(weights, 3, 250) == Approx(0.0912673).epsilon(1e-12));
}

TEST_CASE("the linear schedule ends gently", "[train]") {
  WeightsConfig weights;
  weights.schedule = "linear";
  weights.lr = 0.5;
  CHECK(learning_rate(weights, 0, 250) == 0.5);
  CHECK(learning_rate(weights, 49, 250) == Approx(0.4).epsilon(1e-15));
  CHECK(learning_rate(weights, 244, 250) == Approx(0.5 / 245).epsilon(1e-15));
  CHECK(learning_rate(weights, 245, 250) == Approx(0.5 / 245).epsilon(1e-15));
  CHECK(learning_rate(weights, 249, 250) == Approx(0.1 / 245).epsilon(1e-15));
  CHECK(learning_rate(weights, 3, 4) == Approx(0.125).epsilon(1e-15));
}

TEST_CASE("the first epochs warm up to what the schedule says", "[train]") {
  WeightsConfig weights;
  weights.lr = 0.5;
  weights.lr_min = 0;
  const double cold = learning_rate(weights, 2, 100);
  weights.warmup = 5;
  CHECK(learning_rate(weights, 0, 100) == Approx(0.1).epsilon(1e-15));
  CHECK(learning_rate(weights, 2, 100) == Approx(cold * 3 / 5).epsilon(1e-15));
  weights.warmup = 2;
  CHECK(learning_rate(weights, 2, 100) == cold);
}

TEST_CASE("drop-path is 0 in the first epoch and grows linearly", "[train]") {
  CHECK(drop_path_probability(0.2, 0, 600) == 0);
  CHECK(drop_path_probability(0.2, 300, 600) == Approx(0.1).epsilon(1e-15));
  CHECK(drop_path_probability(0.2, 599, 600) == Approx(0.2 * 599 / 600).epsilon(1e-15));
}
