#pragma once

#include <string>
#include <vector>

#include "host/config/schema.hpp"
#include "host/task/task.hpp"

namespace mixop {

/// Refuses assignments "key=value" of keys that mean nothing to a task.
void check_meaning(const std::vector<std::string>& sets, RunKind kind, const Task& task);

}  // namespace mixop
