#include "host/trials/run_trials.hpp"

#include <algorithm>
#include <cstdlib>

#include "host/data/dataset_handle.hpp"
#include "host/plugins/option_values.hpp"
#include "host/plugins/registry.hpp"
#include "host/plugins/search_path.hpp"
#include "host/plugins/self_test.hpp"
#include "host/trials/operator_trials.hpp"
#include "host/trials/part_trials.hpp"
#include "host/trials/space_trials.hpp"
#include "mixop/space.hpp"

namespace mixop {
namespace {

// Opening a data set that is not there must end in an error that the user can read, or in records that can be read and
// decoded.
void try_dataset(const MixopDataset& table, const std::string& name, const TrialSink& report) {
  Trial trial{name, "opens, or says why not", true, ""};
  try {
    const DatasetHandle data(name, table, "");
    for (int split = 0; split < MIXOP_SPLIT_COUNT; ++split) {
      const std::int64_t count = std::min<std::int64_t>(data.info().records[static_cast<std::size_t>(split)], 2);
      std::vector<std::uint8_t> values(static_cast<std::size_t>(count * data.info().record_bytes()));
      std::vector<std::int64_t> targets(static_cast<std::size_t>(count));
      if (count > 0) data.read(split, 0, count, values.empty() ? nullptr : values.data(), targets.data());
      for (std::int64_t record = 0; record < count && data.info().many_sizes; ++record)
        data.decode(split, record, [&](std::int32_t height, std::int32_t width, const std::uint8_t* pixels) {
          values.assign(pixels, pixels + std::int64_t{height} * width * data.info().channels);
        });
    }
  } catch (const Error& error) {
    trial.passed = error.code() == ErrorCode::usage || error.code() == ErrorCode::bad_data;
    if (!trial.passed) trial.detail = error.what();
  }
  report(trial);
}

// A factory must give a new object at every call.
void try_factory_twice(const MixopFactory& factory, const std::string& name, const TrialSink& report) {
  Trial trial{name, "creates objects of its own", true, ""};
  try {
    const OptionValues options(name, factory.options, factory.option_count);
    void* objects[2] = {nullptr, nullptr};
    for (void*& object : objects)
      checked(name, [&](MixopError* error) { return factory.create(options.data(), options.size(), &object, error); });
    trial.passed = objects[0] != nullptr && objects[1] != nullptr && objects[0] != objects[1];
    if (trial.passed)
      for (void* object : objects) factory.destroy(object);
    else
      trial.detail = "two calls of create returned the same object or NULL";
  } catch (const std::exception& error) {
    trial = {name, trial.name, false, error.what()};
  }
  report(trial);
}

void try_object(const PluginRegistry& registry, const ComponentInfo& component, const TrialSink& report) {
  try_factory_twice(registry.factory(component.interface, component.name), component.name, report);
  if (component.interface == SearchSpace::interface_id) try_space(registry, component.name, report);
  for (const StrategySlot& slot : strategy_slots)
    if (component.interface == slot.interface_id) try_part(registry, slot, component.name, report);
}

void try_components(PluginRegistry& registry, const PluginInfo& plugin, const TrialSink& report) {
  const bool has_space = std::any_of(plugin.components.begin(), plugin.components.end(), [](const ComponentInfo& component) {
    return component.interface == SearchSpace::interface_id;
  });
  if (has_space)  // whose networks are of operators that other plugins may have
    registry.load(plugin_places({}, std::getenv("MIXOP_PLUGIN_PATH"), installed_plugin_folder()));
  for (const ComponentInfo& component : plugin.components) {
    if (component.group == kActivations)
      try_operator(registry.activation(component.name), component.name, report);
    else if (component.interface == MIXOP_OPERATOR_INTERFACE)
      try_operator(registry.op(component.name), component.name, report);
    else if (component.interface == MIXOP_DATASET_INTERFACE)
      try_dataset(registry.dataset(component.name), component.name, report);
    else if (component.interface == MIXOP_STRATEGY_INTERFACE)
      report({component.name, "names a part for every place", true, ""});
    else
      try_object(registry, component, report);
  }
}

}  // namespace

void run_trials(const std::filesystem::path& path, std::ostream& out) {
  TrialWriter writer(out);
  try {
    PluginRegistry registry;
    const PluginInfo& plugin = registry.load_file(path);
    writer.plugin(plugin.id, plugin.version);
    try_components(registry, plugin, [&](const Trial& trial) { writer.trial(trial); });
    writer.end();
  } catch (const PluginRefused& reason) {
    writer.refusal(reason);
  }
}

}  // namespace mixop
