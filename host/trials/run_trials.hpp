#pragma once

#include <filesystem>
#include <ostream>

namespace mixop {

/// The child's side of self_test: loads the plugin at `path` with all checks, tries every component and writes what
/// self_test reads.
void run_trials(const std::filesystem::path& path, std::ostream& out);

}  // namespace mixop
