#include "host/trials/run_trials.hpp"

#include <cstdlib>

#include "host/plugins/option_values.hpp"
#include "host/plugins/registry.hpp"
#include "host/plugins/search_path.hpp"
#include "host/plugins/self_test.hpp"
#include "host/trials/dataset_trials.hpp"
#include "host/trials/operator_time.hpp"
#include "host/trials/operator_trials.hpp"
#include "host/trials/part_trials.hpp"
#include "host/trials/space_trials.hpp"
#include "mixop/space.hpp"

namespace mixop {
namespace {

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

// Every part that a named strategy is made of must be there.
void try_strategy(const PluginRegistry& registry, const std::string& name, const TrialSink& report) {
  Trial trial{name, "names a part for every place", true, ""};
  try {
    for (const StrategySlot& slot : strategy_slots)
      (void)registry.factory(slot.interface_id, registry.strategy(name).parts.at(std::string(slot.name)).part);
  } catch (const Error& error) {
    trial = {name, trial.name, false, error.what()};
  }
  report(trial);
}

void try_components(PluginRegistry& registry, const PluginInfo& plugin, const std::string& data, const TrialSink& report) {
  // A space's networks are of operators, and a strategy of parts, that other plugins may have.
  registry.load(plugin_places({}, std::getenv("MIXOP_PLUGIN_PATH"), installed_plugin_folder()));
  for (const ComponentInfo& component : plugin.components) {
    if (component.group == kActivations)
      try_operator(registry.activation(component.name), component.name, report);
    else if (component.interface == MIXOP_OPERATOR_INTERFACE) {
      try_operator(registry.op(component.name), component.name, report);
      time_operator(registry, component.name, report);
    } else if (component.interface == MIXOP_DATASET_INTERFACE)
      try_dataset(registry.dataset(component.name), component.name, data, report);
    else if (component.interface == MIXOP_STRATEGY_INTERFACE)
      try_strategy(registry, component.name, report);
    else
      try_object(registry, component, report);
  }
}

}  // namespace

void run_trials(const std::filesystem::path& path, const std::string& data, std::ostream& out) {
  TrialWriter writer(out);
  try {
    PluginRegistry registry;
    const PluginInfo& plugin = registry.load_file(path);
    writer.plugin(plugin.id, plugin.version);
    try_components(registry, plugin, data, [&](const Trial& trial) { writer.trial(trial); });
    writer.end();
  } catch (const PluginRefused& reason) {
    writer.refusal(reason);
  }
}

}  // namespace mixop
