#include "host/train/discrete_model.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "host/loop/device.hpp"
#include "host/runtime/network.hpp"

namespace mixop {
namespace {

SpaceConfig network_config(const Config& config, const NetworkData& data) {
  SpaceConfig space;
  static_cast<SpaceSizes&>(space) = config.space;
  space.input = data.shape;
  space.classes = data.classes;
  space.auxiliary = config.train.auxiliary > 0;
  space.auxiliary_weight = config.train.auxiliary;
  space.label_smoothing = config.train.label_smoothing;
  return space;
}

}  // namespace

MeasuredNetwork measured_network(const Config& config, const Genotype& genotype, const NetworkData& data,
                                 const PluginRegistry& plugins, const ComponentOptions& options) {
  const auto space = make_space(plugins, config.space.name, options, task_of(data));
  return measure(space->network(network_config(config, data), genotype), RegistryCatalog(plugins));
}

DiscreteModel::DiscreteModel(const Config& config, const Genotype& genotype, const NetworkData& data,
                             const PluginRegistry& plugins, const ComponentOptions& options)
    : data_(data),
      device_(device_of(config.device)),
      type_(config.precision == "float64" ? at::kDouble : at::kFloat),
      operators_(plugins),
      space_(make_space(plugins, config.space.name, options, task_of(data))) {
  use_threads(config.threads);
  if (device_.is_cuda()) at::globalContext().setDeterministicCuDNN(true);
  at::manual_seed(static_cast<std::uint64_t>(config.seed));
  // The kernels of the fused execution do not multiply in 16 bits.
  const Execution execution = config.precision == "bfloat16" ? Execution::plain : execution_named(config.execution);
  network_ = compile(space_->network(network_config(config, data), genotype), operators_, {device_, type_}, execution);
}

Outcome DiscreteModel::evaluate(const Batch& batch, const RecurrentState& state) {
  const at::NoGradGuard no_grad;
  Pass pass;
  pass.training = pass.update_statistics = false;
  return network_->loss({}, batch, state, pass);
}

}  // namespace mixop
