#pragma once

#include <string>

#include "host/plugins/registry.hpp"
#include "host/plugins/self_test.hpp"

namespace mixop {

/// Tries a search space with its defaults at a small size: the networks that it describes are sound, every declared alpha
/// is read, every weight learns, and its published genotypes and a hundred drawn ones are stored, drawn, counted and built
/// again. `registry` must have the operators that it names.
void try_space(const PluginRegistry& registry, const std::string& name, const TrialSink& report);

}  // namespace mixop
