#include "host/runtime/fused/buffers.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

namespace mixop {
namespace {

std::atomic<bool> poisoned{false};

constexpr std::size_t kLine = 64, kHugePage = std::size_t{1} << 21;

/// Sizes are rounded up, so that maps of almost the same size share their memory.
std::size_t rounded(std::size_t bytes) {
  const std::size_t unit = bytes >= kHugePage ? std::size_t{1} << 16 : kLine;
  return (bytes + unit - 1) / unit * unit;
}

void* allocate(std::size_t bytes) {
  const bool large = bytes >= kHugePage;
  void* memory = nullptr;
  if (posix_memalign(&memory, large ? kHugePage : kLine, bytes) != 0) throw std::bad_alloc();
  if (large) madvise(memory, bytes, MADV_HUGEPAGE);  // fewer page faults; a refusal changes nothing else
  return memory;
}

}  // namespace

struct BufferPool::Store {
  std::mutex mutex;
  std::multimap<std::size_t, void*> idle;  // by size

  ~Store() { clear(); }
  void clear() {
    for (const auto& [size, block] : idle) std::free(block);
    idle.clear();
  }
};

BufferPool::BufferPool() : store_(std::make_shared<Store>()) {}

std::shared_ptr<void> BufferPool::take(std::size_t bytes) {
  std::size_t size = rounded(bytes);
  void* memory = nullptr;
  {
    // The last batch of an epoch is smaller: it gets the memory of the others.
    const std::lock_guard lock(store_->mutex);
    const auto found = store_->idle.lower_bound(size);
    if (found != store_->idle.end() && found->first <= 2 * size) {
      size = found->first;
      memory = found->second;
      store_->idle.erase(found);
    }
  }
  if (memory == nullptr) memory = allocate(size);
  if (poisoned) std::memset(memory, 0xff, size);
  return {memory, [store = store_, size](void* block) {
            const std::lock_guard lock(store->mutex);
            store->idle.emplace(size, block);
          }};
}

void BufferPool::poison(bool on) { poisoned = on; }

void BufferPool::give_back() {
  const std::lock_guard lock(store_->mutex);
  store_->clear();
}

}  // namespace mixop
