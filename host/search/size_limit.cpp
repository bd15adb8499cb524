#include "host/search/size_limit.hpp"

#include <c10/core/Allocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <atomic>
#include <memory>

#include "host/search/stored_check.hpp"

namespace mixop {
namespace {

constexpr std::int64_t kOwn = std::int64_t{16} << 20;

std::int64_t stored_bytes(const Archive& archive) {
  std::int64_t sum = 0;
  for (const char* group : {"/weights", "/buffers"})
    for (const std::string& name : archive.children(group))
      sum += static_cast<std::int64_t>(archive.array(archive_path(group, name)).bytes.size());
  return sum;
}

class Limit final : public c10::MemoryReportingInfoBase {
 public:
  explicit Limit(const Archive& archive)
      : archive_(archive), stored_(stored_bytes(archive)), most_(4 * stored_ + kOwn) {}

  void reportMemoryUsage(void* memory, std::int64_t size, std::size_t, std::size_t, c10::Device device) override {
    const std::int64_t held = held_ += size;
    if (size <= 0 || held <= most_) return;
    // LibTorch reports what it has taken, and forgets it where the report throws.
    if (device.is_cpu()) c10::free_cpu(memory);
    refuse(archive_, stored::resolved_config,
           "means a network of more than " + std::to_string(held >> 20) +
               " MiB, and the weights and buffers beside it have " + std::to_string(stored_) + " bytes");
  }
  bool memoryProfilingEnabled() const override { return true; }

 private:
  const Archive& archive_;
  std::int64_t stored_, most_;
  std::atomic<std::int64_t> held_{0};
};

}  // namespace

NetworkSizeLimit::NetworkSizeLimit(const Archive& archive)
    : guard_(c10::DebugInfoKind::PROFILER_STATE, std::make_shared<Limit>(archive)) {}

}  // namespace mixop
