#include "host/trials/operator_time.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "host/runtime/operator_instance.hpp"
#include "mixop/abi/ext/trials.h"

namespace mixop {
namespace {

constexpr std::int64_t kImages = 16, kChannels = 16, kSide = 32;
constexpr int kPasses = 5;
constexpr char kYardstick[] = "sep_conv_3x3";

struct Milliseconds {
  double forward, backward;
};

/// The medians of some passes behind a first one.
Milliseconds time_of(const MixopOperator& table, const std::string& name, std::int64_t channels) {
  using Clock = std::chrono::steady_clock;
  const auto ms = [](Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); };
  const OperatorInstance op(table, name, {channels, channels, 1, /*affine=*/false});
  const at::Tensor x = at::randn({kImages, channels, kSide, kSide}).set_requires_grad(true);
  std::vector<double> forward, backward;
  for (int pass = 0; pass <= kPasses; ++pass) {
    const auto start = Clock::now();
    const at::Tensor y = op.forward(x, {});
    const auto between = Clock::now();
    if (y.requires_grad()) y.sum().backward();
    const auto end = Clock::now();
    if (pass == 0) continue;
    forward.push_back(ms(between - start));
    backward.push_back(ms(end - between));
  }
  const auto median = [](std::vector<double>& values) {
    std::nth_element(values.begin(), values.begin() + kPasses / 2, values.end());
    return values[kPasses / 2];
  };
  return {median(forward), median(backward)};
}

}  // namespace

void time_operator(const PluginRegistry& registry, const std::string& name, const TrialSink& report) {
  const MixopOperator& table = registry.op(name);
  const auto* hints = extension_of<MixopTrials>(table, MIXOP_TRIALS_EXTENSION);
  const std::int64_t unit = hints == nullptr ? 1 : std::max<std::int64_t>(1, hints->channel_multiple);
  const std::int64_t channels = (kChannels + unit - 1) / unit * unit;
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  try {
    const Milliseconds own = time_of(table, name, channels), other = time_of(registry.op(kYardstick), kYardstick, channels);
    char text[256];
    std::snprintf(text, sizeof text,
                  "forward %.2f ms, backward %.2f ms; %s %.2f ms and %.2f ms (%d images of %dx%d, %d channels, run "
                  "plainly, 1 thread)",
                  own.forward, own.backward, kYardstick, other.forward, other.backward, static_cast<int>(kImages),
                  static_cast<int>(kSide), static_cast<int>(kSide), static_cast<int>(channels));
    report({name, "time", true, text});
  } catch (const std::exception&) {  // which the trials before have reported where it is a fault
  }
  at::set_num_threads(threads);
}

}  // namespace mixop
