#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

namespace mixop {

/// What a confined child may take.
struct Confinement {
  std::uint64_t memory = 0;  ///< bytes of address space beyond what this process has
  std::uint64_t output = 0;  ///< bytes that it may hand back
  unsigned seconds = 0;      ///< of processor time
};

/// Read-only memory that a child has filled and nobody writes any more.
class MappedBytes {
 public:
  MappedBytes() = default;
  /// The whole of an open file.
  explicit MappedBytes(int descriptor);
  MappedBytes(MappedBytes&& other) noexcept
      : start_(std::exchange(other.start_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedBytes& operator=(MappedBytes&& other) noexcept {
    std::swap(start_, other.start_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedBytes();
  std::span<const std::byte> bytes() const { return {start_, size_}; }

 private:
  const std::byte* start_ = nullptr;
  std::size_t size_ = 0;
};

/// What came of it.
struct ConfinedResult {
  bool whole = false;  ///< the work returned, and all that it wrote is in `output`
  std::string end;     ///< otherwise how it ended: "was ended by signal 11 (Segmentation fault)"
  MappedBytes output;
};

/// Takes the work's output.
using ConfinedOutput = std::function<void(std::span<const std::byte>)>;

/// Runs `work` in a copy of this process that can compute and nothing else, for code that may go wrong on the bytes
/// that it is given: no file, network or other process is in its reach (seccomp lets through only calls for memory and
/// those that write to its output), memory, processor time and output are limited, and it dies with this process. Where
/// the kernel has no seccomp the limits alone hold. The copy has this thread only: `work` must not wait for another.
/// Throws Error failed where no such process can be made.
ConfinedResult run_confined(const Confinement& limits, const std::function<void(const ConfinedOutput&)>& work);

}  // namespace mixop
