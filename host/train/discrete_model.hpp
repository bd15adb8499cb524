#pragma once

#include <memory>

#include "host/config/config.hpp"
#include "host/graph/measure.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/runtime/network.hpp"
#include "host/search/composition.hpp"
#include "host/task/task.hpp"
#include "mixop/space.hpp"

namespace mixop {

/// The size of a genotype's network, before it is made.
MeasuredNetwork measured_network(const Config& config, const Genotype& genotype, const NetworkData& data,
                                 const PluginRegistry& plugins, const ComponentOptions& options);

/// The network of a genotype on the device that the config names, freshly initialised from its seed.
class DiscreteModel {
 public:
  DiscreteModel(const Config& config, const Genotype& genotype, const NetworkData& data, const PluginRegistry& plugins,
                const ComponentOptions& options);

  const NetworkData& data() const { return data_; }
  const Task& task() const { return task_of(data_); }
  at::Device device() const { return device_; }
  at::ScalarType type() const { return type_; }
  Network& network() { return *network_; }
  const Network& network() const { return *network_; }
  Cost cost() const { return measure(network_->graph(), operators_).cost(); }
  /// A pass in evaluation mode, which records nothing.
  Outcome evaluate(const Batch& batch, const RecurrentState& state = {});

 private:
  NetworkData data_;
  at::Device device_;
  at::ScalarType type_;
  RegistryCatalog operators_;
  Part<SearchSpace> space_;
  std::unique_ptr<Network> network_;
};

}  // namespace mixop
