#pragma once

#include <filesystem>
#include <ostream>
#include <string>

namespace mixop {

/// The child's side of self_test: loads the plugin at `path` with all checks, tries every component and writes what
/// self_test reads. Data sets are tried on the folder `data`; empty: on none.
void run_trials(const std::filesystem::path& path, const std::string& data, std::ostream& out);

}  // namespace mixop
