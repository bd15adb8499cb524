#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/config/config.hpp"
#include "host/data/dataset_handle.hpp"
#include "host/plugins/registry.hpp"
#include "host/search/composition.hpp"

namespace mixop {

/// The options of every loaded component.
OptionCatalog option_catalog(const PluginRegistry& plugins);

/// ../share/mixop/NAME beside the program, and the folders NAME beside loaded plugins that nobody else may change: of
/// "presets" and "downloads".
std::vector<std::filesystem::path> shared_folders(const PluginRegistry& plugins, const std::string& name);

/// What all sessions of a program share.
struct Application {
  explicit Application(PluginRegistry loaded) : plugins(std::move(loaded)), catalog(option_catalog(plugins)) {}

  PluginRegistry plugins;
  OptionCatalog catalog;
  std::vector<std::filesystem::path> presets = shared_folders(plugins, "presets");
};

/// What the config sets of the components' options.
ComponentOptions options_of(const Config& config);

/// The folder of the data: data.dir, else the environment's MIXOP_DATA; empty where neither is given.
std::string data_folder(const Config& config);

/// The data set that the config names, from its data_folder().
DatasetHandle open_data(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options);
/// That in another folder.
DatasetHandle open_data_in(const std::string& folder, const Config& config, const PluginRegistry& plugins,
                           const ComponentOptions& options);

}  // namespace mixop
