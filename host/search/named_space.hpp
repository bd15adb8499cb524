#pragma once

#include <string>

#include "host/search/composition.hpp"

namespace mixop {

/// The space as it is, but for what its calls throw, which names it (host/plugins/part_error.hpp).
Part<SearchSpace> with_name(Part<SearchSpace> space, const std::string& name);

}  // namespace mixop
