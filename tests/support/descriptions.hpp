#pragma once

#include <dlfcn.h>

#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/graph/operators.hpp"
#include "mixop/abi/factory.h"
#include "mixop/abi/plugin.h"
#include "mixop/options.hpp"
#include "mixop/space.hpp"
#include "tests/catch.hpp"

// Plugins of the build that need no LibTorch, for tests that need none.

namespace mixop::test {

/// The components of some plugins, loaded once a process.
class DescribedPlugins final : public OperatorCatalog {
 public:
  explicit DescribedPlugins(const std::vector<std::string>& plugins) {
    for (const std::string& plugin : plugins) load(plugin);
  }

  const MixopOperator& find_operator(const std::string& name, Domain domain) const override {
    const auto found = operators_.find({static_cast<std::uint32_t>(domain), name});
    if (found == operators_.end()) throw Error(ErrorCode::usage, "no operator '" + name + "'");
    return *found->second;
  }
  void add(const std::string& name, const MixopOperator& table) { operators_[{table.domain, name}] = &table; }

  const MixopFactory& space(const std::string& name) const { return *spaces_.at(name); }

 private:
  void load(const std::string& plugin) {
    const std::filesystem::path path = std::filesystem::path(MIXOP_PLUGIN_BUILD_DIR) / (plugin + ".so");
    void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(dlerror());
    using Entry = const MixopPluginDescriptor* (*)();
    const MixopPluginDescriptor& descriptor = *reinterpret_cast<Entry>(dlsym(library, "mixop_plugin_v1"))();
    for (std::uint32_t i = 0; i < descriptor.component_count; ++i) {
      const MixopComponent& component = descriptor.components[i];
      if (component.kind == MIXOP_KIND_OPERATOR)
        add(component.name, *static_cast<const MixopOperator*>(component.table));
      if (component.kind == MIXOP_KIND_SPACE)
        spaces_[component.name] = static_cast<const MixopFactory*>(component.table);
    }
  }

  std::map<std::pair<std::uint32_t, std::string>, const MixopOperator*> operators_;
  std::map<std::string, const MixopFactory*> spaces_;
};

inline const DescribedPlugins& described() {
  static const DescribedPlugins plugins({"mixop_ops_darts", "mixop_ops_dartopti", "mixop_ops_recurrent",
                                         "mixop_ops_nasbench201", "mixop_spaces_darts_cnn", "mixop_spaces_ddarts",
                                         "mixop_spaces_darts_rnn", "mixop_spaces_nasbench201"});
  return plugins;
}

using DescribedSpace = std::unique_ptr<SearchSpace, void (*)(SearchSpace*)>;

/// A space of the build; options that are not given have their defaults.
inline DescribedSpace described_space(const std::string& name, const std::map<std::string, std::string>& options = {}) {
  const MixopFactory& factory = described().space(name);
  std::vector<MixopOptionValue> values;
  for (std::uint32_t i = 0; i < factory.option_count; ++i) {
    const MixopOptionSpec& option = factory.options[i];
    const auto given = options.find(option.name);
    values.push_back({option.name, given == options.end() ? option.default_value : given->second.c_str()});
  }
  void* made = nullptr;
  checked("space " + name, [&](MixopError* error) {
    return factory.create(values.data(), static_cast<std::uint32_t>(values.size()), &made, error);
  });
  return {static_cast<SearchSpace*>(made), [](SearchSpace* space) { delete space; }};
}

/// Of images of 7 classes.
inline SpaceConfig sizes_of(std::int64_t channels, std::int64_t layers, std::int64_t height,
                            std::int64_t width) {
  SpaceConfig config;
  config.channels = channels;
  config.layers = layers;
  config.input = {3, height, width};
  config.classes = 7;
  return config;
}

inline Genotype published_genotype(const std::string& space, const std::string& name) {
  const DescribedSpace made = described_space(space);
  for (const NamedGenotype& named : made->genotypes())
    if (named.name == name) return named.genotype;
  throw std::runtime_error("no genotype " + name);
}

/// The names of a description's tensors with a weight, in order: those of its structures and those of its operators.
inline std::vector<std::string> weight_names(const NetworkGraph& graph) {
  std::vector<std::string> names;
  const auto joined = [](const std::string& a, const std::string& b) {
    return a.empty() || b.empty() ? a + b : a + "." + b;
  };
  const auto add = [&](const std::string& prefix, const std::optional<Structure>& structure) {
    for (const Stage& stage : structure ? structure->stages() : std::vector<Stage>{})
      if (stage.kind == StageKind::conv || stage.kind == StageKind::linear || stage.affine)
        names.push_back(joined(joined(prefix, stage.name), "weight"));
  };
  const auto of = [](const std::string& name, const OpSpec& spec) {
    return structure_of(described().find_operator(name, Domain::image), name, spec);
  };
  for (const Block& block : graph.blocks)
    for (const Edge& edge : block.cell.edges) {
      const std::string prefix = joined(block.cell.name, edge.name);
      if (const auto* structure = std::get_if<Structure>(&edge.does)) add(prefix, *structure);
      if (const auto* named = std::get_if<NamedOp>(&edge.does)) add(prefix, of(named->name, named->spec));
      if (const auto* choice = std::get_if<Choice>(&edge.does))
        for (std::size_t k = 0; k < choice->candidates.size(); ++k)
          add(prefix + "._ops." + std::to_string(k), of(choice->candidates[k], choice->spec));
    }
  return names;
}

}  // namespace mixop::test
