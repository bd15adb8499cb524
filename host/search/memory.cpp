#include "host/search/memory.hpp"

#include <ATen/ATen.h>
#include <c10/core/Allocator.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>

namespace mixop {
namespace {

/// Follows LibTorch's allocations of the current thread and of the autograd threads that inherit its debug state.
class AllocationMeter final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
    const std::int64_t held = held_ += size;
    std::int64_t peak = peak_;
    while (held > peak && !peak_.compare_exchange_weak(peak, held)) {
    }
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t peak() const { return peak_; }

 private:
  std::atomic<std::int64_t> held_{0}, peak_{0};
};

std::int64_t resident_bytes() {
  std::int64_t pages = 0;
  std::ifstream statm("/proc/self/statm");
  statm >> pages >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

/// Images are drawn, words all the same.
Batch trial_batch(const Batch& like, std::int64_t images) {
  if (!like.input.is_floating_point()) {
    const std::int64_t time = like.input.size(0);
    return {at::zeros({time, images}, like.input.options()), at::zeros({time, images}, like.target.options())};
  }
  std::vector<std::int64_t> shape = like.input.sizes().vec();
  shape[0] = images;
  return {at::randn(shape, like.input.options()), at::zeros({images}, like.target.options())};
}

/// Peak of the allocations of one step on that many images.
std::int64_t trial(const Batch& like, std::int64_t images, const std::function<void(const Batch&)>& step) {
  const auto meter = std::make_shared<AllocationMeter>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
  step(trial_batch(like, images));
  return meter->peak();
}

}  // namespace

std::int64_t predict_peak_memory(const Batch& like, std::int64_t batch, const std::function<void(const Batch&)>& step) {
  const std::int64_t one = trial(like, 1, step), two = trial(like, 2, step);
  const std::int64_t per_image = std::max<std::int64_t>(0, two - one);
  return resident_bytes() + one + per_image * (batch - 1);
}

std::int64_t predict_peak_memory(Search& search) {
  const auto step = [&](const Batch& batch) {
    search.problem().set_step({batch, batch, search.position().at});
    (void)search.strategy().hypergradient->alpha_gradients(search.problem());
    (void)search.strategy().hypergradient->weight_gradients(search.problem());
  };
  Batch like = search.data().at(0, 0, 0).train;
  if (search.data().is_text()) {  // the first sequence may be a half one
    const std::int64_t bptt = search.config().data.bptt;
    like = {at::zeros({bptt, 1}, like.input.options()), at::zeros({bptt, 1}, like.target.options())};
  }
  return predict_peak_memory(like, search.config().search.batch, step);
}

}  // namespace mixop
