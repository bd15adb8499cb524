#pragma once

#include <string>

#include "host/plugins/registry.hpp"
#include "host/plugins/self_test.hpp"

namespace mixop {

/// Reports as a passed trial how long an image operator takes, forward and backward, beside sep_conv_3x3 of the registry, both
/// run plainly by one thread; nothing where it does not serve the shape.
void time_operator(const PluginRegistry& registry, const std::string& name, const TrialSink& report);

}  // namespace mixop
