#pragma once

#include <iostream>
#include <string>
#include <vector>

namespace mixop {

/// `mixop plugins list|check|new`; `arguments` follow the word "plugins". Answers the exit code; throws Error for wrong
/// usage and for what stops the command.
int plugins_command(const std::vector<std::string>& arguments, std::ostream& out = std::cout,
                    std::ostream& messages = std::cerr);

}  // namespace mixop
