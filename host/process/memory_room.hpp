#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace mixop {

/// How much more memory this process may take, and what sets that bound.
struct MemoryRoom {
  std::int64_t bytes = 0;
  std::string source;  ///< "ulimit -v", "the control group's memory.max", "the machine's free memory"
};

/// The least of what the limit on address space, the control groups (versions 1 and 2) and the machine leave. The files
/// of /proc and /sys are read below `root`; what is not there sets no bound.
MemoryRoom memory_room(const std::filesystem::path& root = "/");

/// The address space that this process has, in bytes; none where /proc does not say.
std::optional<std::int64_t> address_space(const std::filesystem::path& root = "/");

}  // namespace mixop
