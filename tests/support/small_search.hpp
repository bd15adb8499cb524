#pragma once

#include "host/config/config.hpp"

namespace mixop::test {

/// A search of seconds on the CPU: 2 channels, 3 cells of 2 nodes, batch 8, on drawn images.
inline Config small_config(std::int64_t epochs) {
  Config config;
  config.seed = 5;
  config.threads = 1;
  config.device = "cpu";
  config.data.name = "synthetic";
  config.space.channels = 2;
  config.space.layers = 3;
  config.space.nodes = 2;
  config.search.epochs = epochs;
  config.search.batch = 8;
  return config;
}

}  // namespace mixop::test
