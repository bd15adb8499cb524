#pragma once

#include <string>

#include "host/plugins/registry.hpp"
#include "host/plugins/self_test.hpp"
#include "mixop/slots.hpp"

namespace mixop {

/// Tries a part of a strategy as searches use it, with its default options: what its slot asks of it, against finite
/// differences in double precision where it has mathematics, and its state. Reports every trial; throws nothing of the
/// part's.
void try_part(const PluginRegistry& registry, const StrategySlot& slot, const std::string& name, const TrialSink& report);

}  // namespace mixop
