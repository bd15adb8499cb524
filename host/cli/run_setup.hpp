#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/config/config.hpp"
#include "host/data/dataset_handle.hpp"
#include "host/search/composition.hpp"

namespace mixop::cli {

/// What the config sets of the components' options.
ComponentOptions options_of(const Config& config);

/// The data set that the config names, from data.dir, else from the environment's MIXOP_DATA.
DatasetHandle open_data(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options);

/// Refuses an output that cannot be written, before anything is computed for it.
void check_output(const std::filesystem::path& out, bool resume, bool overwrite);

/// The time as ISO 8601.
std::string now_utc();

/// "id version sha256" of every loaded plugin.
std::vector<std::string> plugin_lines(const PluginRegistry& plugins);

}  // namespace mixop::cli
