#pragma once

#include <string>
#include <vector>

#include "host/task/confusion.hpp"

namespace mixop {

/// The matrix as SVG: a row a class, a column what its samples were taken for, darker by the row's share, with counts
/// where they fit. `names` has one a class.
std::string confusion_svg(const Confusion& confusion, const std::vector<std::string>& names);

}  // namespace mixop
