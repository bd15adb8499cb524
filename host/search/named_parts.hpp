#pragma once

#include <string>

#include "host/search/composition.hpp"

namespace mixop {

/// The part or space as it is, but for what its calls throw, which names it (host/plugins/part_error.hpp).
Part<StrategyPart> with_name(Part<StrategyPart> part, const StrategySlot& slot, const std::string& name);
Part<SearchSpace> with_name(Part<SearchSpace> space, const std::string& name);

}  // namespace mixop
