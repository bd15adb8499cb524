#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "host/config/schema.hpp"

namespace mixop {

/// Refuses assignments "key=value" of keys that mean nothing to such data.
void check_meaning(const std::vector<std::string>& sets, RunKind kind, std::int32_t data);

/// Refuses assignments of options of components that are not among those that the run `uses`.
void check_use(const std::vector<std::string>& sets, const OptionCatalog& catalog, const std::set<std::string>& uses);

}  // namespace mixop
