#pragma once

#include <string>

#include "host/search/composition.hpp"

namespace mixop {

/// The space as it is, but for what its calls throw, which begins with `called` (host/plugins/part_error.hpp).
Part<SearchSpace> with_name(Part<SearchSpace> space, std::string called);

}  // namespace mixop
