#pragma once

#include <cstdint>
#include <functional>

#include "host/search/search.hpp"

namespace mixop {

/// What a run does and holds, as far as its memory goes.
struct MemoryTrial {
  std::int64_t batch = 0;                  ///< images or columns of its steps
  std::function<void(std::int64_t)> step;  ///< takes a step on that many
  std::function<void()> give_back = [] {};  ///< what steps keep for further ones
  std::int64_t later = 0;                  ///< bytes that the run comes to hold beside what it holds after a step
  std::int64_t archived = 0;               ///< bytes of the arrays that its archive has
};

/// The largest batch of a trial for a run of that batch.
std::int64_t largest_trial(std::int64_t batch);

/// The peak of this process's resident memory, in bytes, where it goes on with the run. Measured: that of a step on the
/// batch where that is small, otherwise that of steps on a quarter and on a half of it, continued. What LibTorch's
/// allocations, the heap between them and the kernels' own memory take is in it, and the archive, which is made in
/// memory. Not in it: what other batches leave in the heap, more data than is open, the memory of a GPU.
std::int64_t predict_peak_memory(const MemoryTrial& trial);

/// That of a search, with its data where it has any. Its alphas, momenta and running statistics change.
std::int64_t predict_peak_memory(Search& search);

/// Bytes of a network's weights and buffers, and of its weights alone.
std::int64_t bytes_of_state(const Network& network);
std::int64_t bytes_of(const std::vector<at::Tensor>& tensors);

}  // namespace mixop
