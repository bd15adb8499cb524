#pragma once

#include <filesystem>

#include "tests/host/search/run_watcher.hpp"
#include "tests/support/plugins.hpp"

namespace mixop::test {

/// Sixty drawn images of 8x8 pixels and 4 classes.
inline const DatasetHandle& tiny_data() {
  static const DatasetHandle data("synthetic", plugins().dataset("synthetic"), "",
                                  {{"train", "60"}, {"test", "10"}, {"size", "8"}, {"classes", "4"}});
  return data;
}

/// Runs a search to its end or to a step.
inline RunEnd run_to(const Config& config, const std::filesystem::path& out, std::int64_t stop_at = -1,
                     bool resume = false, const ComponentOptions& options = {}) {
  Search search(config, plugins(), options, tiny_data());
  if (resume) restore(search, Archive::open(out));
  RunWatcher watcher(search, out, stop_at);
  return search.run(watcher, watcher.interrupt);
}

}  // namespace mixop::test
