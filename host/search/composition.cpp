#include "host/search/composition.hpp"

#include "host/plugins/option_values.hpp"

namespace mixop {

namespace {

/// What the user set of those options that the component declares: components of two interfaces may share a name.
std::map<std::string, std::string> options_of(const MixopFactory& factory, const std::string& name,
                                              const ComponentOptions& options) {
  std::map<std::string, std::string> own;
  const auto given = options.find(name);
  if (given == options.end()) return own;
  for (std::uint32_t i = 0; i < factory.option_count; ++i)
    if (const auto set = given->second.find(factory.options[i].name); set != given->second.end()) own.insert(*set);
  return own;
}

}  // namespace

template <class Interface>
Part<Interface> make_part(const PluginRegistry& plugins, const std::string& name, const ComponentOptions& options) {
  const MixopFactory& factory = plugins.factory(Interface::interface_id, name);
  const OptionValues values(name, factory.options, factory.option_count, options_of(factory, name, options));
  void* object = nullptr;
  checked(name, [&](MixopError* error) { return factory.create(values.data(), values.size(), &object, error); });
  if (object == nullptr) throw Error(ErrorCode::plugin, "component '" + name + "': create succeeded but made nothing");
  return Part<Interface>(static_cast<Interface*>(object), {factory.destroy});
}

template Part<SearchSpace> make_part(const PluginRegistry&, const std::string&, const ComponentOptions&);
template Part<Relaxation> make_part(const PluginRegistry&, const std::string&, const ComponentOptions&);
template Part<Hypergradient> make_part(const PluginRegistry&, const std::string&, const ComponentOptions&);
template Part<Regulariser> make_part(const PluginRegistry&, const std::string&, const ComponentOptions&);
template Part<EdgeTransform> make_part(const PluginRegistry&, const std::string&, const ComponentOptions&);
template Part<Stopper> make_part(const PluginRegistry&, const std::string&, const ComponentOptions&);
template Part<Deriver> make_part(const PluginRegistry&, const std::string&, const ComponentOptions&);

Part<SearchSpace> make_space(const PluginRegistry& plugins, const std::string& name, const ComponentOptions& options,
                             bool text) {
  auto space = make_part<SearchSpace>(plugins, name, options);
  const bool recurrent = space->domain() == Domain::recurrent;
  if (recurrent != text)
    throw Error(ErrorCode::usage,
                "space.name: expected a space for " + std::string(text ? "text" : "images") +
                    ", as the data is, found '" + name + "', which is for " + (recurrent ? "text" : "images") +
                    "; choose another space.name or data.name, or a preset, which sets both (mixop list presets)");
  return space;
}

PartNames parts_of(const PluginRegistry& plugins, const std::string& strategy, const PartNames& overrides) {
  const MixopStrategy& named = plugins.strategy(strategy);
  const auto chosen = [](const std::string& override_name, const char* own) {
    return override_name.empty() ? std::string(own) : override_name;
  };
  return {chosen(overrides.relaxation, named.relaxation),   chosen(overrides.hypergradient, named.hypergradient),
          chosen(overrides.regulariser, named.regulariser), chosen(overrides.edge_transform, named.edge_transform),
          chosen(overrides.stopper, named.stopper),         chosen(overrides.deriver, named.deriver)};
}

Composition::Composition(const PluginRegistry& plugins, const PartNames& part_names, const ComponentOptions& options)
    : names(part_names),
      relaxation(make_part<Relaxation>(plugins, names.relaxation, options)),
      hypergradient(make_part<Hypergradient>(plugins, names.hypergradient, options)),
      regulariser(make_part<Regulariser>(plugins, names.regulariser, options)),
      edge_transform(make_part<EdgeTransform>(plugins, names.edge_transform, options)),
      stopper(make_part<Stopper>(plugins, names.stopper, options)),
      deriver(make_part<Deriver>(plugins, names.deriver, options)) {}

std::map<std::string, StrategyPart*> Composition::parts() const {
  return {{"relaxation", relaxation.get()},   {"hypergradient", hypergradient.get()},
          {"regulariser", regulariser.get()}, {"edge_transform", edge_transform.get()},
          {"stopper", stopper.get()},         {"deriver", deriver.get()}};
}

}  // namespace mixop
