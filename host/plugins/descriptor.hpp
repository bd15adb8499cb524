#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "host/config/parts.hpp"
#include "host/plugins/checks.hpp"
#include "mixop/abi/dataset.h"
#include "mixop/abi/factory.h"
#include "mixop/abi/operator.h"
#include "mixop/abi/plugin.h"

namespace mixop {

/// Stands for the interface of operators where they are activations: names of the recurrent domain are apart from those
/// of the image domain, and `none` is one of each.
inline constexpr char kActivations[] = "mixop.activation/1";

/// One component of a loaded plugin. The table is the host's copy, its arrays too: whole, with zeros where the plugin's
/// is shorter. What an operator's get_extension returns stays the plugin's.
struct PluginComponent {
  std::uint32_t kind = 0;
  std::string name;
  std::string interface;
  std::string group;    ///< what its name is unique among: its interface, or kActivations
  std::string summary;  ///< empty: it has none of its own
  std::variant<MixopOperator, MixopDataset, MixopFactory, NamedStrategy> table;
  std::vector<MixopOptionSpec> options;  // what the table points to

  PluginComponent() = default;
  PluginComponent(PluginComponent&&) = default;  // a copy's table would point into this one
  PluginComponent& operator=(PluginComponent&&) = default;
};

/// What a plugin says about itself, checked.
struct PluginContents {
  std::string id;
  std::string version;
  std::string summary;
  std::vector<PluginComponent> components;
  MixopStatus (*init)(const MixopHost* host, MixopError* error) = nullptr;
};

/// The checks `descriptor` and `components`. Throws PluginRefused naming `file.path`.
PluginContents read_descriptor(const MixopPluginDescriptor* descriptor, const PluginFile& file);

/// "operator", "space", "dataset" or "strategy"; several are joined by commas.
std::string kind_names(std::uint32_t kinds);

/// What an interface id is called in messages: "mixop.edge_rule/1" is "edge rule".
std::string noun_of(const std::string& interface);

}  // namespace mixop
