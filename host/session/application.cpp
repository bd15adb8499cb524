#include "host/session/application.hpp"

#include <algorithm>
#include <cstdlib>

#include "host/files/installed.hpp"
#include "host/plugins/trusted_path.hpp"
#include "mixop/space.hpp"

namespace mixop {
namespace {

template <class Specs>
void add_options(OptionCatalog& catalog, const std::string& name, const Specs* specs, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) catalog.components[name].push_back(specs[i]);
}

}  // namespace

OptionCatalog option_catalog(const PluginRegistry& plugins) {
  OptionCatalog catalog;
  for (const auto& plugin : plugins.plugins()) {
    for (const ComponentInfo& component : plugin->components) {
      if (component.interface == MIXOP_DATASET_INTERFACE) {
        const MixopDataset& table = plugins.dataset(component.name);
        add_options(catalog, component.name, table.options, table.option_count);
      } else if (component.interface == MIXOP_STRATEGY_INTERFACE) {
        catalog.strategies[component.name] = plugins.strategy(component.name);
      } else if (component.interface != MIXOP_OPERATOR_INTERFACE) {
        const MixopFactory& factory = plugins.factory(component.interface, component.name);
        add_options(catalog, component.name, factory.options, factory.option_count);
      }
      if (component.interface == SearchSpace::interface_id) {
        catalog.spaces[component.name] =
            default_keys(make_space(plugins, component.name, {})->defaults(), component.name);
      }
    }
  }
  return catalog;
}

std::vector<std::filesystem::path> preset_folders(const PluginRegistry& plugins) {
  std::vector<std::filesystem::path> folders{installed("share/mixop/presets")};
  for (const auto& plugin : plugins.plugins()) {
    const std::filesystem::path own = plugin->file.path.parent_path() / "presets";
    std::error_code problem;
    if (std::filesystem::is_directory(own, problem) && folders_changed_by_others(own).empty() &&
        std::find(folders.begin(), folders.end(), own) == folders.end())
      folders.push_back(own);
  }
  return folders;
}

ComponentOptions options_of(const Config& config) {
  ComponentOptions options;
  for (const auto& [component, own] : config.options)
    for (const auto& [name, option] : own) options[component][name] = option.text;
  return options;
}

std::string data_folder(const Config& config) {
  const char* environment = std::getenv("MIXOP_DATA");
  return !config.data.dir.empty() ? config.data.dir : environment != nullptr ? environment : "";
}

DatasetHandle open_data(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options) {
  return open_data_in(data_folder(config), config, plugins, options);
}

DatasetHandle open_data_in(const std::string& folder, const Config& config, const PluginRegistry& plugins,
                           const ComponentOptions& options) {
  const auto own = options.find(config.data.name);
  return DatasetHandle(config.data.name, plugins.dataset(config.data.name), folder,
                       own == options.end() ? std::map<std::string, std::string>{} : own->second);
}

}  // namespace mixop
