#pragma once

#include <string>

#include "host/config/config.hpp"
#include "host/loop/epoch_loop.hpp"

namespace mixop {

/// Runs a loop; one that is not finite any more ends with what may help, unless a part's own code made it so.
inline RunEnd run_advised(EpochLoop& loop, RunObserver& observer, const std::atomic<int>& interrupt,
                          const Config& config) {
  try {
    return loop.run(observer, interrupt);
  } catch (const NotFinite& error) {
    if (error.by_part()) throw;
    const std::string clipping = config.weights.clip > 0 ? " or weights.clip" : "";
    throw NotFinite(error.what() + ("; a smaller weights.lr" + clipping + " may help"));
  }
}

}  // namespace mixop
