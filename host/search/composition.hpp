#pragma once

#include <map>
#include <memory>
#include <string>

#include "host/plugins/registry.hpp"
#include "mixop/space.hpp"
#include "mixop/strategy.hpp"

namespace mixop {

/// The names of the parts of a strategy.
struct PartNames {
  std::string relaxation, hypergradient, regulariser, edge_transform, stopper, deriver;
};

/// Option values by component name, then option name.
using ComponentOptions = std::map<std::string, std::map<std::string, std::string>>;

/// Hands an object back to the plugin that made it.
struct PartDeleter {
  void (*destroy)(void*) = nullptr;
  template <class Interface>
  void operator()(Interface* part) const {
    destroy(part);
  }
};

template <class Interface>
using Part = std::unique_ptr<Interface, PartDeleter>;

/// A new object of a component behind a C++ interface, with the user's options over its defaults.
template <class Interface>
Part<Interface> make_part(const PluginRegistry& plugins, const std::string& name, const ComponentOptions& options);

/// The search space of that name for images or for text; throws a usage error where it reads the other.
Part<SearchSpace> make_space(const PluginRegistry& plugins, const std::string& name, const ComponentOptions& options,
                             bool text);

/// A named strategy with its parts, exchanged where `overrides` names another; empty names keep the strategy's own.
PartNames parts_of(const PluginRegistry& plugins, const std::string& strategy, const PartNames& overrides);

/// The parts of a strategy, made.
struct Composition {
  Composition(const PluginRegistry& plugins, const PartNames& names, const ComponentOptions& options);

  PartNames names;
  Part<Relaxation> relaxation;
  Part<Hypergradient> hypergradient;
  Part<Regulariser> regulariser;
  Part<EdgeTransform> edge_transform;
  Part<Stopper> stopper;
  Part<Deriver> deriver;

  /// All parts by their place, for saving and loading their state.
  std::map<std::string, StrategyPart*> parts() const;
};

}  // namespace mixop
