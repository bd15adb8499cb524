#pragma once

#include <atomic>

namespace mixop::cli {

/// While it lives, the first of SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 and SIGXCPU is kept for the run to end at the
/// next step; a second SIGINT or SIGTERM ends the process at once, which leaves the last archive as it is. What the
/// process was started to ignore stays ignored. Guards within another's life share what it received. Without a signal all
/// is as before when it ends; after one the process is expected to end, and further ones are still kept from cutting it short.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// The signal's number, or 0.
  const std::atomic<int>& received() const;
};

}  // namespace mixop::cli
