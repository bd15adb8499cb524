#include "host/train/network_archive.hpp"

#include "host/genotype/genotype_json.hpp"
#include "host/search/size_limit.hpp"

namespace mixop {
namespace {

/// What `make` builds of an archive's own config and genotype; what they are refused for is the archive's fault.
template <class Make>
auto made_from(const Archive& archive, const Config& config, Make&& make) {
  (void)device_of(config.device);  // a device that this machine lacks is not
  try {
    const NetworkSizeLimit limit(archive);
    return make();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::usage) throw;
    throw Error(ErrorCode::bad_data, archive.name() + ": its config and genotype make no network: " + error.what());
  }
}

/// The data at hand must be that which the archive was made on.
void check_fits(const Training& training, const Archive& archive) {
  const NetworkData archived = archived_data(archive), &found = training.model().data();
  if (!(archived == found))
    refuse(archive, "/data",
           "says " + data_text(archived) + ", and the data at hand has " + data_text(found) +
               (data_text(archived) == data_text(found) ? " of other names or in another order" : ""));
  for (const Records records : {Records::valid, Records::test}) {
    const std::string path = std::string("/metrics/") + records_name(records) + "_loss";
    const bool measured = training.data().count(records) > 0;
    if (archive.integer("/position", "epoch") > 0 && archive.has(path) != measured)
      refuse(archive, path,
             measured ? "is not there, and the data at hand has such records"
                      : "is there, and the data at hand has no such records");
  }
}

}  // namespace

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
  archive.attribute("/data", "class_digest", data.class_digest);
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
  check_fits(training, archive);
  training.position() = stored::position_of(archive, network_kind, training.config().train.epochs,
                                            [&](std::int64_t) { return training.data().steps_per_epoch(); });
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
  DiscreteModel model = made_from(archive, config, [&] {
    return DiscreteModel(config, archived_genotype(archive), archived_data(archive), plugins, options);
  });
  stored::restore_network(model.network(), archive);
  return model;
}

Training resumed_training(const Archive& archive, const Config& config, const PluginRegistry& plugins,
                          const ComponentOptions& options, const DatasetHandle& data) {
  return made_from(archive, config,
                   [&] { return Training(config, archived_genotype(archive), plugins, options, data); });
}

}  // namespace mixop
