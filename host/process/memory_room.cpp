#include "host/process/memory_room.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>

namespace mixop {
namespace {

namespace fs = std::filesystem;

/// The number in a file of one; nothing where there is none, as in "max".
std::optional<std::int64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  return file >> number ? std::optional(number) : std::nullopt;
}

/// The number behind a word such as "MemAvailable:".
std::int64_t number_after(const fs::path& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string word; file >> word;)
    if (std::int64_t number = 0; word == key && file >> number) return number;
  return 0;
}

void lower(MemoryRoom& room, std::int64_t bytes, const char* source) {
  if (bytes < room.bytes) room = {std::max<std::int64_t>(bytes, 0), source};
}

void lower_by_address_space(MemoryRoom& room, const fs::path& root) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  lower(room, static_cast<std::int64_t>(limit.rlim_cur) - address_space(root).value_or(0), "ulimit -v");
}

/// The names of one version's files.
struct GroupFiles {
  const char *limit, *taken, *active, *inactive, *source;
};

constexpr GroupFiles kFirst{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_active_file",
                            "total_inactive_file", "the control group's memory.limit_in_bytes"};
constexpr GroupFiles kSecond{"memory.max", "memory.current", "active_file", "inactive_file",
                             "the control group's memory.max"};

/// A group and those around it, up to the mount point. What they hold of files is given back on demand.
void lower_by_groups(MemoryRoom& room, const fs::path& mount, std::string group, const GroupFiles& files) {
  for (;;) {
    const fs::path folder = mount / fs::path(group).relative_path();
    const std::optional<std::int64_t> most = number_in(folder / files.limit), taken = number_in(folder / files.taken);
    if (most && taken) {
      const fs::path kinds = folder / "memory.stat";
      lower(room, *most - *taken + number_after(kinds, files.active) + number_after(kinds, files.inactive),
            files.source);
    }
    if (group.empty() || group == "/") return;
    group = fs::path(group).parent_path();
  }
}

/// Lines "ID:CONTROLLERS:PATH"; the second version has no controllers there.
void lower_by_control_groups(MemoryRoom& room, const fs::path& root) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
    if (controllers.empty()) lower_by_groups(room, root / "sys/fs/cgroup", group, kSecond);
    if (controllers == "memory") lower_by_groups(room, root / "sys/fs/cgroup/memory", group, kFirst);
  }
}

}  // namespace

std::optional<std::int64_t> address_space(const fs::path& root) {
  const std::optional<std::int64_t> pages = number_in(root / "proc/self/statm");
  return pages ? std::optional(*pages * ::sysconf(_SC_PAGESIZE)) : std::nullopt;
}

MemoryRoom memory_room(const fs::path& root) {
  MemoryRoom room{std::numeric_limits<std::int64_t>::max(), "nothing known"};
  if (const std::int64_t kib = number_after(root / "proc/meminfo", "MemAvailable:"); kib > 0)
    lower(room, kib << 10, "the machine's free memory");
  lower_by_control_groups(room, root);
  lower_by_address_space(room, root);
  return room;
}

}  // namespace mixop
