#include "host/selftest/oracles.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "tests/catch.hpp"

namespace {

using namespace mixop;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("a deviation that is not a number stays the worst", "[selftest]") {
  CHECK(std::isnan(worse(0, kNan)));
  CHECK(std::isnan(worse(kNan, 1)));
  CHECK(worse(1, 2) == 2);
  CHECK(worse(2, 1) == 2);
}

TEST_CASE("difference quotients find a wrong gradient and one that is not a number", "[selftest]") {
  const at::Tensor x = at::tensor({1.0, -2.0, 3.0}, at::kDouble);
  const auto square = [&] { return x.square().sum().item<double>(); };
  CHECK(difference_quotient_error(x, 2 * x, square) < 1e-8);
  CHECK(difference_quotient_error(x, x.clone(), square) == Approx(3).margin(1e-6));
  const at::Tensor gradient = 2 * x;
  gradient[0].fill_(kNan);
  CHECK(std::isnan(difference_quotient_error(x, gradient, square)));
  CHECK(std::isnan(difference_quotient_error(x, 2 * x, [] { return kNan; })));
}

TEST_CASE("an oracle passes up to what is allowed, and not where it has no number", "[selftest]") {
  CHECK(OracleResult{"o", 1e-9, 1e-8, ""}.passed());
  CHECK_FALSE(OracleResult{"o", 1e-7, 1e-8, ""}.passed());
  CHECK_FALSE(OracleResult{"o", kNan, 1e-8, ""}.passed());
  CHECK_FALSE(OracleResult{"o", 0, 0, "could not be run"}.passed());
}

}  // namespace
