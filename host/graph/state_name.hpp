#pragma once

#include <string>

namespace mixop {

/// "cells.3._ops.0" of "cells.3" and "_ops.0"; either may be empty.
inline std::string joined_name(const std::string& one, const std::string& other) {
  return one.empty() || other.empty() ? one + other : one + "." + other;
}

}  // namespace mixop
