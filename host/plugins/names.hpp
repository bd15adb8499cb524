#pragma once

#include <string>
#include <vector>

namespace mixop {

/// "unknown operator 'x'; did you mean 'y'? Known: y, z" for an error message.
std::string unknown_name(const std::string& noun, const std::string& name, const std::vector<std::string>& known);

}  // namespace mixop
