#include "host/task/score.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "tests/catch.hpp"

using namespace mixop;

namespace {

at::Tensor numbers(std::vector<std::int64_t> values) { return at::tensor(values, at::kLong); }

Score score_of(const at::Tensor& logits, const at::Tensor& target, std::int64_t batch) {
  Score score;
  for (std::int64_t first = 0; first < logits.size(0); first += batch) {
    const std::int64_t last = std::min(logits.size(0), first + batch);
    score.add(logits.slice(0, first, last), target.slice(0, first, last));
  }
  return score;
}

}  // namespace

TEST_CASE("accuracies are percent and the loss is in natural logarithms", "[train]") {
  Score score;
  score.add(at::zeros({2, 8}), numbers({0, 7}));
  CHECK(score.loss() == Approx(std::log(8.0)).epsilon(1e-14));
  score.add(at::eye(8).mul(50), at::arange(8));
  CHECK(score.samples() == 10);
  CHECK(score.top1() == 90);
  CHECK(score.top5() == 90);
}

TEST_CASE("among equal logits the class of the lower number comes first", "[train]") {
  for (std::int64_t target = 0; target < 8; ++target) {
    Score score;
    score.add(at::zeros({1, 8}), numbers({target}));
    CHECK(score.top1() == (target == 0 ? 100 : 0));
    CHECK(score.top5() == (target < 5 ? 100 : 0));
  }
}

TEST_CASE("the top five are the five largest logits", "[train]") {
  const at::Tensor logits = at::tensor({1.0, 2.0, 3.0, 4.0, 5.0, 6.0}).view({1, 6});
  CHECK(score_of(logits, numbers({1}), 1).top5() == 100);
  CHECK(score_of(logits, numbers({0}), 1).top5() == 0);
}

TEST_CASE("with fewer than five classes all of them are among the top five", "[train]") {
  const Score score = score_of(at::randn({20, 4}), at::arange(20).remainder(4), 20);
  CHECK(score.top5() == 100);
  CHECK(score.top1() < 100);
}

TEST_CASE("scores do not depend on how the samples come in batches", "[train]") {
  const at::Tensor logits = at::randn({101, 10}).mul(3).round(), target = at::randint(10, {101}, at::kLong);
  const Score whole = score_of(logits, target, 101);
  for (const std::int64_t batch : {1, 7, 100}) {
    const Score parts = score_of(logits, target, batch);
    CHECK(parts.top1() == whole.top1());
    CHECK(parts.top5() == whole.top5());
    CHECK(parts.loss() == Approx(whole.loss()).epsilon(1e-13));
  }
}
