#include "host/search/memory.hpp"

#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "host/search/problem.hpp"

namespace mixop {
namespace {

/// Up to here a step on the batch itself is tried, and from here on none on more than twice as many.
constexpr std::int64_t kSmall = 16, kLargestTrial = 64;

/// Beside it a step on twice as many is tried.
std::int64_t smaller_trial(std::int64_t batch) {
  return std::clamp<std::int64_t>(batch / 4, kSmall / 2, kLargestTrial);
}

/// "VmRSS" (resident now) or "VmHWM" (at the peak) of this process.
std::int64_t status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (std::int64_t kib = 0; word == key + ":" && status >> kib) return kib << 10;
  throw Error(ErrorCode::unsupported, "/proc/self/status has no " + key + ", by which memory is predicted");
}

/// The peak of a step. What earlier ones left in the heap is given back before it, as it is not there in a run.
std::int64_t peak_of(const MemoryTrial& trial, std::int64_t samples) {
  trial.give_back();
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;  // Linux: the peak begins anew
  trial.step(samples);
  return status_bytes("VmHWM");
}

std::int64_t peak_of_steps(const MemoryTrial& trial) {
  trial.step(std::min<std::int64_t>(trial.batch, 2));  // what is made once, such as kernels, is there from now on
  if (trial.batch <= kSmall) return peak_of(trial, trial.batch);
  const std::int64_t few = smaller_trial(trial.batch);
  const std::int64_t first = peak_of(trial, few), second = peak_of(trial, 2 * few);
  return second + std::max<std::int64_t>(0, second - first) * (trial.batch - 2 * few) / few;
}

}  // namespace

std::int64_t largest_trial(std::int64_t batch) { return batch <= kSmall ? batch : 2 * smaller_trial(batch); }

std::int64_t predict_peak_memory(const MemoryTrial& trial) {
  const std::int64_t steps = peak_of_steps(trial);
  malloc_trim(0);
  // HDF5's image of the archive, and the copy that goes to the file. Weights hardly become smaller by compression.
  const std::int64_t archiving = status_bytes("VmRSS") + 2 * trial.archived;
  return std::max(steps, archiving) + trial.later;
}

namespace {

/// That of the network at hand.
std::int64_t predict_stage(Search& search) {
  MemoryTrial trial;
  trial.give_back = [&] { search.network().give_back_memory(); };
  trial.batch = search.config().search.batch;
  trial.step = [&](std::int64_t samples) {
    const Batch batch = search.drawn_batch(samples);
    search.try_step({batch, batch});
  };
  trial.archived = bytes_of_state(search.network());
  if (search.config().weights.momentum != 0) trial.archived += bytes_of(search.problem().weights());
  return predict_peak_memory(trial);
}

}  // namespace

std::int64_t predict_peak_memory(Search& search) {
  if (search.has_data()) (void)search.data().at(0, 0, 0);  // what is decoded ahead is there from now on
  std::int64_t peak = predict_stage(search);
  for (const std::int64_t epoch : search.later_networks()) {
    search.try_stage(epoch);
    peak = std::max(peak, predict_stage(search));
  }
  return peak;
}

std::int64_t bytes_of(const std::vector<at::Tensor>& tensors) {
  std::int64_t sum = 0;
  for (const at::Tensor& tensor : tensors) sum += static_cast<std::int64_t>(tensor.nbytes());
  return sum;
}

std::int64_t bytes_of_state(const Network& network) {
  std::int64_t sum = 0;
  for (const StateEntry& entry : distinct_state(network)) sum += static_cast<std::int64_t>(entry.tensor.nbytes());
  return sum;
}

}  // namespace mixop
