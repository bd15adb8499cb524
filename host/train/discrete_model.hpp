#pragma once

#include <memory>

#include "host/config/config.hpp"
#include "host/graph/measure.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/runtime/network.hpp"
#include "host/search/composition.hpp"
#include "mixop/space.hpp"

namespace mixop {

/// What a network classifies: images, or words by those before them.
struct NetworkData {
  ImageShape shape;          ///< zeros for text
  std::int64_t classes = 0;  ///< or words of the vocabulary
  std::string class_digest;  ///< of their names in their order: SHA-256 of one line each

  bool is_text() const { return shape.channels == 0; }

  friend bool operator==(const NetworkData& a, const NetworkData& b) {
    return a.shape.channels == b.shape.channels && a.shape.height == b.shape.height && a.shape.width == b.shape.width &&
           a.classes == b.classes && a.class_digest == b.class_digest;
  }
};

/// "3x32x32 images of 10 classes", "text of 10000 words".
std::string data_text(const NetworkData& data);

/// The network of a genotype on the device that the config names, freshly initialised from its seed.
class DiscreteModel {
 public:
  DiscreteModel(const Config& config, const Genotype& genotype, const NetworkData& data, const PluginRegistry& plugins,
                const ComponentOptions& options);

  const NetworkData& data() const { return data_; }
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
