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

TEST_CASE("drop-path is 0 in the first epoch and grows linearly", "[train]") {
  CHECK(drop_path_probability(0.2, 0, 600) == 0);
  CHECK(drop_path_probability(0.2, 300, 600) == Approx(0.1).epsilon(1e-15));
  CHECK(drop_path_probability(0.2, 599, 600) == Approx(0.2 * 599 / 600).epsilon(1e-15));
}
