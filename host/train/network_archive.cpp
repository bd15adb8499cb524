#include "host/train/network_archive.hpp"

#include <algorithm>

#include "host/genotype/genotype_json.hpp"
#include "host/loop/device.hpp"
#include "host/search/problem.hpp"
#include "host/search/memory_limit.hpp"
#include "host/search/stored_tensor.hpp"

namespace mixop {
namespace {

constexpr const char *kLast = "/last", *kAverage = "/average", *kCarried = "/position/train_state";

/// What `make` makes of an archive's own config and genotype; what they are refused for is the archive's fault.
template <class Make>
auto made_from(const Archive& archive, const Config& config, Make&& make) {
  (void)device_of(config.device);  // a device that this machine lacks is not
  try {
    return make(archived_genotype(archive));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::usage) throw;
    throw Error(ErrorCode::bad_data, archive.name() + ": its config and genotype make no network: " + error.what());
  }
}

/// The data at hand must be that which the archive was made on.
void check_fits(const Training& training, const Archive& archive) {
  const NetworkData archived = stored::archived_data(archive), &found = training.model().data();
  if (!(archived == found))
    refuse(archive, "/data",
           "says " + data_text(archived) + ", and the data at hand has " + data_text(found) +
               (data_text(archived) == data_text(found) ? " of other names or in another order" : ""));
  const std::vector<Records> all = training.data().measured();
  for (const Records records : {Records::valid, Records::test}) {
    const std::string path = std::string("/metrics/") + records_name(records) + "_loss";
    const bool measured = std::find(all.begin(), all.end(), records) != all.end();
    if (archive.integer("/position", "epoch") > 0 && archive.has(path) != measured)
      refuse(archive, path,
             measured ? "is not there, and the data at hand has such records"
                      : "is there, and the data at hand has no such records");
  }
}

/// The paths of the weights' averages, in the order of parameters_of().
std::vector<std::string> average_paths(const Network& network) {
  std::vector<std::string> paths;
  for (const StateEntry& entry : distinct_state(network))
    if (entry.kind == StateKind::parameter) paths.push_back(archive_path(kAverage, entry.name));
  return paths;
}

/// The network to evaluate, and beside it, where that is another, the one that the training goes on with.
void put_networks(ArchiveBuilder& archive, const Training& training) {
  const Network& network = training.model().network();
  const TrainingState& own = training.own();
  if (own.average) {
    const std::vector<std::string> paths = average_paths(network);
    for (std::size_t i = 0; i < paths.size(); ++i) put_tensor(archive, paths[i], own.average->means()[i]);
  }
  if (own.best) {
    stored::put_network(archive, network, own.best->values);
  } else if (own.average) {
    const Exchanged averaged(training.weights(), own.average->means());
    stored::put_network(archive, network);
  } else {
    stored::put_network(archive, network);
    return;
  }
  stored::put_network(archive, network, kLast);
}

void put_own(ArchiveBuilder& archive, const TrainingState& own) {
  const StoredTraining numbers{own.rollbacks, own.average ? own.average->steps() : -1, own.best ? own.best->epoch : 0,
                               own.best ? own.best->averaged : 0};
  visit(numbers, SectionWriter(archive, "/position"));
  for (std::size_t k = 0; k < own.carried.size(); ++k)
    put_tensor(archive, archive_path(kCarried, std::to_string(k)), own.carried[k]);
}

void restore_own(Training& training, const Archive& archive) {
  TrainingState& own = training.own();
  const Network& network = training.model().network();
  const auto numbers = read_section<StoredTraining>(archive, "/position");
  own.rollbacks = numbers.rollbacks;
  if (const std::int64_t epoch = numbers.best_epoch; epoch > 0)
    own.best =
        KeptNetwork{epoch, training.record().metrics.at("valid_loss").at(static_cast<std::size_t>(epoch) - 1),
                    numbers.best_averaged_steps, stored::network_values(network, archive)};
  if (const std::int64_t steps = numbers.averaged_steps; steps >= 0) {
    own.average.emplace(training.weights(), steps);
    const std::vector<std::string> paths = average_paths(network);
    for (std::size_t i = 0; i < paths.size(); ++i) {
      stored::copy_into(own.average->means()[i], archive, paths[i]);
      require_finite(archive, paths[i]);
    }
  }
  const Config& config = training.config();
  own.carried = stored::restore_states(
      archive, kCarried,
      training.task().carried_state(config.train.batch, config.space.width, training.weights().front().options()));
}

}  // namespace

ArchiveBuilder archive_of(Training& training, const ConfigTexts& config, const Provenance& provenance) {
  const Network& network = training.model().network();
  ArchiveBuilder archive;
  stored::put_config(archive, network_kind, config);
  archive.text("/genotype", genotype_to_json(training.genotype()));
  stored::put_data(archive, training.model().data());
  stored::put_position(archive, training.position());
  put_own(archive, training.own());
  stored::put_metrics(archive, training.record());
  put_networks(archive, training);
  stored::put_optimizer(archive, network, training.optimizer());
  stored::put_generator(archive);
  stored::put_provenance(archive, provenance, training.config().seed, training.record().epoch_seconds);
  return archive;
}

void restore(Training& training, const Archive& archive) {
  check_network(archive);
  check_fits(training, archive);
  training.position() = stored::position_of(archive, network_kind, training.config().train.epochs,
                                            [&](std::int64_t epoch) { return training.data().steps_in(epoch); });
  training.record() = stored::record_of(archive);
  stored::restore_network(training.model().network(), archive, archive.has(kLast) ? kLast : "");
  restore_own(training, archive);
  stored::restore_optimizer(training.model().network(), training.optimizer(), archive);
  stored::restore_generator(archive);
}

MeasuredNetwork archived_size(const Archive& archive, const Config& config, const NetworkData& data,
                              const PluginRegistry& plugins, const ComponentOptions& options) {
  const MeasuredNetwork network = made_from(archive, config, [&](const Genotype& genotype) {
    return measured_network(config, genotype, data, plugins, options);
  });
  require_stored(archive, all_parameters(network));
  return network;
}

DiscreteModel archived_model(const Archive& archive, const Config& config, const PluginRegistry& plugins,
                             const ComponentOptions& options) {
  const NetworkData data = stored::archived_data(archive);
  require_memory(archived_size(archive, config, data, plugins, options), config, task_of(data), /*batch=*/0);
  DiscreteModel model = made_from(archive, config, [&](const Genotype& genotype) {
    return DiscreteModel(config, genotype, data, plugins, options);
  });
  stored::restore_network(model.network(), archive);
  return model;
}

Training resumed_training(const Archive& archive, const Config& config, const PluginRegistry& plugins,
                          const ComponentOptions& options, const DatasetHandle& data) {
  (void)archived_size(archive, config, network_data(data.info()), plugins, options);
  return made_from(archive, config, [&](const Genotype& genotype) {
    return Training(config, genotype, plugins, options, data);
  });
}

}  // namespace mixop
