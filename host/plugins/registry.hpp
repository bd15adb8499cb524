#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/plugins/checks.hpp"
#include "host/plugins/descriptor.hpp"
#include "host/plugins/search_path.hpp"

namespace mixop {

struct ComponentInfo {
  std::uint32_t kind = 0;
  std::string interface;
  std::string name;
  std::string group;    ///< as in PluginComponent
  std::string summary;  ///< as in PluginComponent
};

/// A loaded plugin, as `plugins list` and the archive's provenance describe it.
struct PluginInfo {
  std::string id;
  std::string version;
  std::string summary;
  PluginFile file;
  std::vector<ComponentInfo> components;
};

/// A plugin that was found in a folder and is not used.
struct RefusedPlugin {
  std::filesystem::path path;
  PluginRefused reason;
  std::vector<ComponentInfo> components;  ///< where the refusal came after they were known
};

/// The plugins of one run of the program and what they offer. A component whose name is taken has the name PLUGIN/NAME,
/// with its plugin's id, by which every component is found; those of mixop come first. Used by one thread while it loads; then the look-ups may
/// come from any. Libraries stay loaded until the process ends, and tables live as long as the registry.
class PluginRegistry {
 public:
  /// `before_load` sees every file that passed the checks without code, and may throw PluginRefused.
  using BeforeLoad = std::function<void(const PluginFile&)>;

  explicit PluginRegistry(HostTraits host = HostTraits::current(), BeforeLoad before_load = {});
  ~PluginRegistry();
  PluginRegistry(PluginRegistry&&) noexcept;
  PluginRegistry& operator=(PluginRegistry&&) noexcept;

  /// Loads the plugin at an absolute path. A file that is loaded already is left alone. Throws PluginRefused.
  const PluginInfo& load_file(const std::filesystem::path& path);
  /// Loads every `*.so` of a folder, in the order of their names; refusals are kept in `refused`. A missing folder is
  /// empty.
  void load_folder(const std::filesystem::path& folder);
  /// Loads from all places, in their order. Throws where a required one is refused.
  void load(const std::vector<PluginPlace>& places);

  const std::vector<std::unique_ptr<PluginInfo>>& plugins() const;
  const std::vector<RefusedPlugin>& refused() const;
  /// A line for every component whose name was taken.
  const std::vector<std::string>& clashes() const;

  /// Look-ups by the names that users write. An unknown name is a usage error that lists the known ones; the name of a
  /// refused plugin's component throws that refusal. Options in an operator's name do not matter to them.
  const MixopOperator& op(const std::string& name) const;
  /// An operator of the recurrent domain.
  const MixopOperator& activation(const std::string& name) const;
  const MixopDataset& dataset(const std::string& name) const;
  const NamedStrategy& strategy(const std::string& name) const;
  /// `interface` is the id of a C++ interface: "mixop.space/1".
  const MixopFactory& factory(const std::string& interface, const std::string& name) const;

  /// The names of all components of a group (an interface, or kActivations), sorted.
  std::vector<std::string> names(const std::string& group) const;
  /// What a component says of itself, or its plugin where it says nothing.
  const std::string& summary(const std::string& group, const std::string& name) const;
  /// The plugin that a component comes from.
  const PluginInfo& owner(const std::string& group, const std::string& name) const;
  /// How messages name a component, with its plugin unless that is one of mixop's own: "space 'acme.chain' (plugin acme)".
  /// `kind` is "space".
  std::string called(const std::string& kind, const std::string& group, const std::string& name) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mixop
