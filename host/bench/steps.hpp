#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/loop/epoch_loop.hpp"

namespace mixop {

/// What is timed: `warmup` steps that are not, then `steps` that are.
struct BenchPlan {
  std::int64_t warmup = 1;
  std::int64_t steps = 5;
};

/// Wall-clock seconds of every timed step, and what the process held.
struct StepTimes {
  std::vector<double> seconds;
  std::int64_t parameters = 0;
  std::int64_t peak_rss_mb = 0;  ///< MiB, of the whole process since its start
};

/// Times whole steps of a search or a training, as `mixop search` and `mixop train` run them: data and statistics too.
/// `weights`: those whose numbers are counted.
StepTimes time_steps(EpochLoop& loop, const std::vector<at::Tensor>& weights, const BenchPlan& plan);

/// The middle value; the mean of both in the middle of an even number. `values` must not be empty.
double median(std::vector<double> values);

}  // namespace mixop
