#pragma once

#include <string>

#include "host/graph/operators.hpp"
#include "host/plugins/registry.hpp"

namespace mixop {

/// The registry's operators, for spaces. The registry must outlive it.
class RegistryCatalog final : public OperatorCatalog {
 public:
  explicit RegistryCatalog(const PluginRegistry& registry) : registry_(registry) {}
  const MixopOperator& find_operator(const std::string& name, Domain domain) const override {
    return domain == Domain::recurrent ? registry_.activation(name) : registry_.op(name);
  }
  std::string plugin_of(const std::string& name, Domain domain) const override {
    return registry_.owner(domain == Domain::recurrent ? kActivations : MIXOP_OPERATOR_INTERFACE, name).id;
  }

 private:
  const PluginRegistry& registry_;
};

}  // namespace mixop
