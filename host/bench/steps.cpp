#include "host/bench/steps.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>

namespace mixop {
namespace {

using Clock = std::chrono::steady_clock;

/// Takes the time at the end of every step and stops the loop after the last one.
class Stopwatch final : public RunObserver {
 public:
  Stopwatch(const BenchPlan& plan, std::atomic<int>& stop) : plan_(plan), stop_(stop), last_(Clock::now()) {}

  void on_step(const SearchPosition& at, std::int64_t, std::int64_t, double, const EpochSums&) override {
    const auto now = Clock::now();
    if (at.step > plan_.warmup) seconds_.push_back(std::chrono::duration<double>(now - last_).count());
    if (at.step == plan_.warmup + plan_.steps) stop_ = 1;
    last_ = now;
  }
  void on_epoch(const SearchPosition&, const Metrics&, const Genotype&) override {}
  void checkpoint() override {}
  std::vector<double> seconds() const { return seconds_; }

 private:
  BenchPlan plan_;
  std::atomic<int>& stop_;
  Clock::time_point last_;
  std::vector<double> seconds_;
};

std::int64_t peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

}  // namespace

StepTimes time_steps(EpochLoop& loop, const std::vector<at::Tensor>& weights, const BenchPlan& plan) {
  std::atomic<int> stop{0};
  Stopwatch watch(plan, stop);
  loop.run(watch, stop);
  std::int64_t parameters = 0;
  for (const at::Tensor& weight : weights) parameters += weight.numel();
  return {watch.seconds(), parameters, peak_rss_mb()};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace mixop
