#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/config/schema.hpp"

namespace mixop {

/// Refuses assignments "key=value" of keys that mean nothing to such data.
void check_meaning(const std::vector<std::string>& sets, RunKind kind, std::int32_t data);

}  // namespace mixop
