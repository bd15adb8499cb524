#include "host/search/size_limit.hpp"

#include <c10/core/Allocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <atomic>
#include <fstream>
#include <limits>
#include <memory>
#include <utility>

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

std::int64_t limit_of(const Archive& archive) { return 4 * stored_bytes(archive) + kOwn; }

[[noreturn]] void refuse_size(const Archive& archive, std::int64_t bytes) {
  refuse(archive, stored::resolved_config,
         "means a network of more than " + std::to_string(bytes >> 20) + " MiB, and the weights and buffers beside it have " +
             std::to_string(stored_bytes(archive)) + " bytes");
}

class Reporter final : public c10::MemoryReportingInfoBase {
 public:
  Reporter(std::int64_t most, std::function<void(std::int64_t)> refuse) : most_(most), refuse_(std::move(refuse)) {}

  void reportMemoryUsage(void* memory, std::int64_t size, std::size_t, std::size_t, c10::Device device) override {
    const std::int64_t held = held_ += size;
    if (size <= 0 || held <= most_) return;
    // LibTorch reports what it has taken, and forgets it where the report throws.
    if (device.is_cpu()) c10::free_cpu(memory);
    held_ -= size;
    refuse_(held);
  }
  bool memoryProfilingEnabled() const override { return true; }

 private:
  std::int64_t most_;
  std::function<void(std::int64_t)> refuse_;
  std::atomic<std::int64_t> held_{0};
};

}  // namespace

AllocationLimit::AllocationLimit(std::int64_t most, std::function<void(std::int64_t)> refuse)
    : guard_(c10::DebugInfoKind::PROFILER_STATE, std::make_shared<Reporter>(most, std::move(refuse))) {}

NetworkSizeLimit::NetworkSizeLimit(const Archive& archive)
    : limit_(limit_of(archive), [&archive](std::int64_t held) { refuse_size(archive, held); }) {}

void require_size(const Archive& archive, std::int64_t bytes) {
  if (bytes > limit_of(archive)) refuse_size(archive, bytes);
}

std::int64_t half_of_free_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;)
    if (std::int64_t kib = 0; word == "MemAvailable:" && file >> kib) return (kib << 10) / 2;
  return std::numeric_limits<std::int64_t>::max();
}

MachineLimit::MachineLimit(std::int64_t most)
    : limit_(most, [most](std::int64_t held) {
        throw Error(ErrorCode::usage, "the sizes mean more than " + std::to_string(held >> 20) +
                                          " MiB, expected at most " + std::to_string(most >> 20) +
                                          " MiB, half of what this machine has free; choose smaller ones");
      }) {}

}  // namespace mixop
