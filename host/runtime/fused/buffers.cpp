#include "host/runtime/fused/buffers.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <utility>

namespace mixop {
namespace {

std::atomic<bool> poisoned{false};

constexpr std::size_t kLine = 64, kHugePage = std::size_t{1} << 21, kSlab = std::size_t{1} << 25;

/// Whole cache lines, of an odd number, so that maps that follow each other do not all begin in the same places of the
/// caches.
std::size_t rounded(std::size_t bytes) { return ((bytes + kLine - 1) / kLine | 1) * kLine; }

/// In huge pages where there are some: maps are read side by side, more of them than an address cache holds small pages.
std::shared_ptr<void> allocate(std::size_t bytes) {
  void* memory = nullptr;
  if (posix_memalign(&memory, kHugePage, bytes) != 0) throw std::bad_alloc();
  madvise(memory, bytes, MADV_HUGEPAGE);  // a refusal changes nothing else
  return {memory, [](void* block) { std::free(block); }};
}

}  // namespace

/// Blocks are cut from slabs, which are freed with the last of their blocks.
struct BufferPool::Store {
  struct Block {
    std::shared_ptr<void> slab;
    char* memory;
  };
  std::mutex mutex;
  std::multimap<std::size_t, Block> idle;  // by size
  std::shared_ptr<void> slab;              // the one that blocks are cut from
  std::size_t used = kSlab;                // of it

  /// Under the mutex, as all else.
  Block cut(std::size_t size) {
    if (size > kSlab / 4) {
      std::shared_ptr<void> own = allocate(size);
      return {own, static_cast<char*>(own.get())};
    }
    if (used + size > kSlab) {
      slab = allocate(kSlab);
      used = 0;
    }
    used += size;
    return {slab, static_cast<char*>(slab.get()) + used - size};
  }
  void give_back() {
    idle.clear();
    slab.reset();
    used = kSlab;
  }
};

BufferPool::BufferPool() : store_(std::make_shared<Store>()) {}

std::shared_ptr<void> BufferPool::take(std::size_t bytes) {
  std::size_t size = rounded(bytes);
  Store::Block block;
  {
    // The last batch of an epoch is smaller: it gets the memory of the others.
    const std::lock_guard lock(store_->mutex);
    const auto found = store_->idle.lower_bound(size);
    if (found != store_->idle.end() && found->first <= 2 * size) {
      size = found->first;
      block = std::move(found->second);
      store_->idle.erase(found);
    } else {
      block = store_->cut(size);
    }
  }
  void* memory = block.memory;
  if (poisoned) std::memset(memory, 0xff, size);
  return {memory, [store = store_, size, block = std::move(block)](void*) mutable {
            const std::lock_guard lock(store->mutex);
            store->idle.emplace(size, std::move(block));
          }};
}

void BufferPool::poison(bool on) { poisoned = on; }

void BufferPool::give_back() {
  const std::lock_guard lock(store_->mutex);
  store_->give_back();
}

}  // namespace mixop
