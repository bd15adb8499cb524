#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <vector>

#include "host/data/image_source.hpp"

namespace mixop {

/// Frees what was allocated at the alignment that tensors have, on which the bits of sums may depend.
struct FreeAligned {
  static constexpr std::size_t kAlignment = 64;
  void operator()(float* values) const { ::operator delete[](values, std::align_val_t{kAlignment}); }
};

/// A batch in memory: targets.size() images as ImageSource::fill_batch writes them.
struct ImageBatch {
  std::unique_ptr<float[], FreeAligned> images;
  std::vector<std::int64_t> targets;
};

/// The batches of a sequence of positions 0, 1, ... Worker threads fill the next ones while the caller works on one;
/// what they hold does not depend on the workers. One thread asks; the source outlives the stream.
class BatchStream {
 public:
  /// What a position holds; called by the thread that asks.
  using Samples = std::function<std::vector<Sample>(std::int64_t position)>;

  /// Positions end before `end`. Without workers, or where the source does not decode, batches are filled when asked
  /// for.
  BatchStream(const ImageSource& source, const Augmentation& augmentation, Samples samples, std::int64_t end,
              std::int64_t workers);
  /// Waits for the images under way, not for the batches.
  ~BatchStream();
  BatchStream(const BatchStream&) = delete;
  BatchStream& operator=(const BatchStream&) = delete;

  /// The batch at a position; asking for another than the next one drops what was made ahead. Throws what filling it
  /// threw.
  ImageBatch at(std::int64_t position);

 private:
  class Workers;

  const ImageSource& source_;
  Augmentation augmentation_;
  Samples samples_;
  std::int64_t end_;
  std::unique_ptr<Workers> workers_;
};

/// What `data.workers` means on this machine: -1 is a thread a core, at most 8.
std::int64_t worker_count(std::int64_t configured);

}  // namespace mixop
