#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace mixop {

/// The first executable file of that name in an absolute folder of PATH; nothing where there is none.
std::optional<std::filesystem::path> program_on_path(const std::string& name);

}  // namespace mixop
