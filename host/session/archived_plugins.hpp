#pragma once

#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/plugins/registry.hpp"

// The plugins that an archive was written with, as its provenance has them: lines "id version sha256".

namespace mixop {

/// Those that are loaded, then those of the archive that is gone on with (null: none) that are other files or not loaded:
/// both had their part in the run.
std::vector<std::string> plugin_lines(const PluginRegistry& plugins, const Archive* resumed);

/// Those of an archive of which no file is loaded, as "id version".
std::vector<std::string> missing_plugins(const Archive& archive, const PluginRegistry& plugins);

/// A sentence for every plugin of the archive that is another file now, or not loaded.
std::vector<std::string> changed_plugins(const Archive& archive, const PluginRegistry& plugins);

}  // namespace mixop
