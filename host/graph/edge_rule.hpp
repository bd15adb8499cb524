#pragma once

#include "mixop/graph.hpp"

namespace mixop {

/// The graph with the rule in each of its choices. Throws a usage error where channels do not divide, and for
/// recurrent networks, whose edges have no channels to spare.
NetworkGraph with_rule(NetworkGraph graph, const EdgeRuleData& rule);

}  // namespace mixop
