#pragma once

#include <memory>

#include "host/config/config.hpp"
#include "host/plugins/operator_catalog.hpp"
#include "host/search/composition.hpp"
#include "mixop/space.hpp"

namespace mixop {

/// What a network classifies.
struct NetworkData {
  ImageShape shape;
  std::int64_t classes = 0;
  std::string class_digest;  ///< of the classes' names in their order: SHA-256 of one line each

  friend bool operator==(const NetworkData& a, const NetworkData& b) {
    return a.shape.channels == b.shape.channels && a.shape.height == b.shape.height && a.shape.width == b.shape.width &&
           a.classes == b.classes && a.class_digest == b.class_digest;
  }
};

/// "3x32x32 images of 10 classes".
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
  /// The logits of a pass in evaluation mode, which records nothing.
  at::Tensor evaluate(const at::Tensor& images);

 private:
  NetworkData data_;
  at::Device device_;
  at::ScalarType type_;
  RegistryCatalog operators_;
  Part<SearchSpace> space_;
  std::unique_ptr<Network> network_;
};

}  // namespace mixop
