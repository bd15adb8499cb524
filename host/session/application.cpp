#include "host/session/application.hpp"

#include <algorithm>
#include <cstdlib>

#include "host/files/installed.hpp"
#include "host/plugins/trusted_path.hpp"
#include "mixop/space.hpp"

namespace mixop {
namespace {

template <class Table>
void add_options(std::map<std::string, std::vector<MixopOptionSpec>>& options, const std::string& name,
                 const Table& table) {
  if (table.option_count > 0) options[name].assign(table.options, table.options + table.option_count);
}

}  // namespace

OptionCatalog option_catalog(const PluginRegistry& plugins) {
  OptionCatalog catalog;
  for (const std::string& name : plugins.names(MIXOP_DATASET_INTERFACE))
    add_options(catalog.components, name, plugins.dataset(name));
  std::vector<std::string> interfaces{SearchSpace::interface_id};
  for (const StrategySlot& slot : strategy_slots) interfaces.emplace_back(slot.interface_id);
  for (const std::string& interface : interfaces)
    for (const std::string& name : plugins.names(interface))
      add_options(catalog.components, name, plugins.factory(interface, name));
  for (const std::string& name : plugins.names(MIXOP_OPERATOR_INTERFACE))
    add_options(catalog.operators, name, plugins.op(name));
  for (const std::string& name : plugins.names(kActivations))
    add_options(catalog.operators, name, plugins.activation(name));
  for (const std::string& name : plugins.names(MIXOP_STRATEGY_INTERFACE))
    catalog.strategies[name] = plugins.strategy(name);
  for (const std::string& name : plugins.names(SearchSpace::interface_id))
    catalog.spaces[name] = default_keys(make_space(plugins, name, {})->defaults(), name);
  return catalog;
}

std::vector<std::filesystem::path> shared_folders(const PluginRegistry& plugins, const std::string& name) {
  std::vector<std::filesystem::path> folders{installed("share/mixop") / name};
  for (const auto& plugin : plugins.plugins()) {
    const std::filesystem::path own = plugin->file.path.parent_path() / name;
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
                       own == options.end() ? std::map<std::string, std::string>{} : own->second,
                       plugins.called("data set", MIXOP_DATASET_INTERFACE, config.data.name));
}

}  // namespace mixop
