#pragma once

#include "host/graph/operator_catalog.hpp"
#include "host/plugins/registry.hpp"
#include "host/search/composition.hpp"
#include "host/search/problem.hpp"

namespace mixop::test {

/// The plugins of the build, loaded once a process.
inline const PluginRegistry& plugins() {
  static const PluginRegistry registry = [] {
    PluginRegistry loaded;
    loaded.load_folder(MIXOP_PLUGIN_BUILD_DIR);
    return loaded;
  }();
  return registry;
}

/// A network's state by name.
inline std::map<std::string, at::Tensor> by_name(const std::vector<StateEntry>& state) {
  std::map<std::string, at::Tensor> map;
  for (const StateEntry& entry : state) map[entry.name] = entry.tensor;
  return map;
}

}  // namespace mixop::test
