#include "host/train/network_archive.hpp"

#include "host/genotype/genotype_json.hpp"

namespace mixop {

ArchiveBuilder archive_of(Training& training, const ConfigTexts& config, const Provenance& provenance) {
  const NetworkData& data = training.model().data();
  const Network& network = training.model().network();
  const TrainingHistory& history = training.history();
  ArchiveBuilder archive;
  stored::put_config(archive, network_kind, config);
  archive.text("/genotype", genotype_to_json(training.genotype()));
  archive.group("/data");
  archive.attribute("/data", "channels", data.shape.channels);
  archive.attribute("/data", "height", data.shape.height);
  archive.attribute("/data", "width", data.shape.width);
  archive.attribute("/data", "classes", data.classes);
  stored::put_position(archive, training.position());
  stored::put_metrics(archive, history.metrics, history.step_losses);
  stored::put_network(archive, network);
  stored::put_optimizer(archive, network, training.optimizer());
  stored::put_generator(archive);
  stored::put_provenance(archive, provenance, training.config().seed, history.epoch_seconds);
  return archive;
}

void restore(Training& training, const Archive& archive) {
  check_network(archive);
  training.position() =
      stored::position_of(archive, network_kind, training.config().train.epochs, [&](std::int64_t) { return training.data().steps_per_epoch(); });
  TrainingHistory& history = training.history();
  history.metrics = stored::metrics_of(archive);
  history.step_losses = archive.values<double>(stored::step_losses);
  history.epoch_seconds = archive.values<double>(stored::epoch_seconds);
  stored::restore_network(training.model().network(), archive);
  stored::restore_optimizer(training.model().network(), training.optimizer(), archive);
  stored::restore_generator(archive);
}

DiscreteModel archived_model(const Archive& archive, const Config& config, const PluginRegistry& plugins,
                             const ComponentOptions& options) {
  (void)device_of(config.device);  // a device that this machine lacks is not the archive's fault
  try {
    DiscreteModel model(config, archived_genotype(archive), archived_data(archive), plugins, options);
    stored::restore_network(model.network(), archive);
    return model;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::usage) throw;
    throw Error(ErrorCode::bad_data, archive.name() + ": its config and genotype make no network: " + error.what());
  }
}

}  // namespace mixop
