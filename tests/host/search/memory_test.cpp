#include "host/search/memory.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"

namespace {

using namespace mixop;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

/// Steps that hold `each` MiB a sample at their peak, and note the batches that they are asked for.
MemoryTrial trial_of(std::int64_t batch, std::int64_t each, std::vector<std::int64_t>& asked) {
  MemoryTrial trial;
  trial.batch = batch;
  trial.step = [each, &asked](std::int64_t samples) {
    asked.push_back(samples);
    std::vector<at::Tensor> held;
    for (std::int64_t i = 0; i < samples; ++i) held.push_back(at::ones({each * kMiB}, at::kByte));
  };
  return trial;
}

TEST_CASE("a prediction tries small batches alone", "[search][memory]") {
  std::vector<std::int64_t> asked;
  (void)predict_peak_memory(trial_of(80, 1, asked));
  CHECK(asked == std::vector<std::int64_t>{2, 20, 40});
}

#ifndef __SANITIZE_ADDRESS__  // whose allocator keeps what is freed, so that resident memory says nothing

std::int64_t predicted_mib(const MemoryTrial& trial) { return predict_peak_memory(trial) / kMiB; }

TEST_CASE("the peak of a small batch is that of a step on it", "[search][memory]") {
  std::vector<std::int64_t> asked;
  const std::int64_t four = predicted_mib(trial_of(4, 20, asked)), twelve = predicted_mib(trial_of(12, 20, asked));
  CHECK(asked == std::vector<std::int64_t>{2, 4, 2, 12});
  CHECK(std::abs(twelve - four - 8 * 20) <= 8);
  asked.clear();
  (void)predict_peak_memory(trial_of(1, 1, asked));
  CHECK(asked == std::vector<std::int64_t>{1, 1});
}

TEST_CASE("the peak of a large batch continues that of small ones, which are never many", "[search][memory]") {
  std::vector<std::int64_t> asked;
  const std::int64_t few = predicted_mib(trial_of(80, 4, asked)), many = predicted_mib(trial_of(160, 4, asked));
  CHECK(asked == std::vector<std::int64_t>{2, 20, 40, 2, 40, 80});
  CHECK(std::abs(many - few - 80 * 4) <= 32);
  asked.clear();
  CHECK(predicted_mib(trial_of(1'000'000, 1, asked)) > 900'000);
  CHECK(asked == std::vector<std::int64_t>{2, 64, 128});
}

TEST_CASE("the archive counts twice where it passes the steps, and what the run comes to hold always",
          "[search][memory]") {
  std::vector<std::int64_t> asked;
  MemoryTrial trial = trial_of(8, 10, asked);
  const std::int64_t steps = predicted_mib(trial);
  trial.later = 50 * kMiB;
  CHECK(std::abs(predicted_mib(trial) - steps - 50) <= 4);
  trial.later = 0;
  trial.archived = 100 * kMiB;
  CHECK(std::abs(predicted_mib(trial) - steps - (200 - 80)) <= 8);
  trial.archived = 20 * kMiB;
  CHECK(std::abs(predicted_mib(trial) - steps) <= 4);
}

#endif

}  // namespace
