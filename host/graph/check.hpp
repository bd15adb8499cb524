#pragma once

#include <string>
#include <vector>

#include "mixop/graph.hpp"

namespace mixop {

/// Throws a plugin error where the graph is not sound: names that are not unique, blocks that read what does not run
/// before them, edges that lead back or from what nothing feeds, choices that do not fit their alphas, outputs that are
/// not there. measure() checks that shapes fit.
void check(const NetworkGraph& graph);

/// The names of the alpha sets that no choice reads, such as those of normal cells in a network of one cell.
std::vector<std::string> unused_alphas(const NetworkGraph& graph);

}  // namespace mixop
