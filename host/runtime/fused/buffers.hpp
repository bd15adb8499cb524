#pragma once

#include <cstddef>
#include <memory>

namespace mixop {

/// Memory that is handed out again instead of given back: the pages of a step's tensors are touched once a run. Blocks
/// outlive the pool object where they are still held. Threads may share it.
class BufferPool {
 public:
  BufferPool();
  /// Aligned to a cache line; its content is what was there. A block may be up to twice as large as it was asked for.
  std::shared_ptr<void> take(std::size_t bytes);
  /// Gives the system what nobody holds.
  void give_back();
  /// For tests: all pools fill what they hand out with bytes of 0xff, of which no number consists, instead of leaving in
  /// it what was there.
  static void poison(bool on);

 private:
  struct Store;
  std::shared_ptr<Store> store_;
};

/// Numbers of a pool's memory. Copies share it.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(BufferPool& pool, std::size_t numbers) : memory_(pool.take(numbers * sizeof(T))) {}
  T* data() const { return static_cast<T*>(memory_.get()); }
  explicit operator bool() const { return memory_ != nullptr; }
  void release() { memory_.reset(); }

 private:
  std::shared_ptr<void> memory_;
};

}  // namespace mixop
