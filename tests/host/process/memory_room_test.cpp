#include "host/process/memory_room.hpp"

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

namespace {

using namespace mixop;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

/// A /proc and /sys of files.
struct Machine : test::TemporaryFolder {
  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((this->path() / path).parent_path());
    write(path, text);
  }
  std::string room() const {
    const MemoryRoom found = memory_room(path());
    return std::to_string(found.bytes / kMiB) + " " + found.source;
  }
};

TEST_CASE("what the machine has free bounds a process without other limits", "[process][memory]") {
  Machine machine;
  machine.put("proc/meminfo", "MemTotal: 8388608 kB\nMemFree: 1024 kB\nMemAvailable: 4194304 kB\n");
  CHECK(machine.room() == "4096 the machine's free memory");
  CHECK(memory_room().bytes > 0);
  CHECK(memory_room().bytes < (std::int64_t{1} << 50));
}

TEST_CASE("a control group of the second version bounds it, its parents do, and files give way", "[process][memory]") {
  Machine machine;
  machine.put("proc/meminfo", "MemAvailable: 4194304 kB\n");
  machine.put("proc/self/cgroup", "0::/job/step\n");
  machine.put("sys/fs/cgroup/job/step/memory.max", "max\n");
  machine.put("sys/fs/cgroup/job/step/memory.current", std::to_string(90 * kMiB));
  CHECK(machine.room() == "4096 the machine's free memory");
  machine.put("sys/fs/cgroup/job/memory.max", std::to_string(100 * kMiB));
  machine.put("sys/fs/cgroup/job/memory.current", std::to_string(90 * kMiB));
  CHECK(machine.room() == "10 the control group's memory.max");
  machine.put("sys/fs/cgroup/job/memory.stat",
              "active_file " + std::to_string(20 * kMiB) + "\ninactive_file " + std::to_string(30 * kMiB) + "\n");
  CHECK(machine.room() == "60 the control group's memory.max");
}

TEST_CASE("a control group of the first version bounds it", "[process][memory]") {
  Machine machine;
  machine.put("proc/self/cgroup", "3:cpu,cpuacct:/other\n4:memory:/job\n");
  machine.put("sys/fs/cgroup/memory/job/memory.limit_in_bytes", std::to_string(100 * kMiB));
  machine.put("sys/fs/cgroup/memory/job/memory.usage_in_bytes", std::to_string(120 * kMiB));
  CHECK(machine.room() == "0 the control group's memory.limit_in_bytes");
}

}  // namespace
