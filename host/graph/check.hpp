#pragma once

#include "mixop/graph.hpp"

namespace mixop {

/// Throws a plugin error where the graph is not sound.
void check(const NetworkGraph& graph);

}  // namespace mixop
