#include "host/session/train_session.hpp"

#include <ATen/Parallel.h>

#include "host/genotype/genotype_json.hpp"
#include "host/loop/device.hpp"
#include "host/search/exchanged_weights.hpp"
#include "host/search/memory.hpp"
#include "host/search/memory_limit.hpp"
#include "host/session/advice.hpp"
#include "host/session/recorder.hpp"
#include "host/train/network_archive.hpp"
#include "host/train/training_memory.hpp"

namespace mixop {
namespace {

const RunRules kRules{archived_network_config};

/// The genotype to train: the request's, which a run that goes on leaves out or repeats.
GenotypeArgument genotype_of(const TrainRequest& request, const Config& config, const Archive* resumed,
                             const Application& application) {
  GenotypeArgument archived;
  if (resumed != nullptr) {
    archived = {resumed->name(), config.space.name, archived_genotype(*resumed), {}};
    if (request.genotype.empty()) return archived;
  }
  GenotypeArgument given = read_genotype(request.genotype, config.space.name, application.plugins);
  if (resumed != nullptr && !(given.genotype == archived.genotype))
    throw Error(ErrorCode::usage, "--resume and --continue go on with the genotype of " + resumed->name() +
                                      ", and --genotype means another; leave --genotype out, or start a new training");
  return given;
}

/// The rules with what the genotype settles where nothing else is said: its space, and the cells that it lists.
RunRules rules_for(const TrainRequest& request, const Application& application) {
  RunRules rules = kRules;
  if (request.genotype.empty()) return rules;
  const std::string preferred = config_of(request, application, kRules, nullptr).space.name;
  const GenotypeArgument genotype = read_genotype(request.genotype, "", application.plugins, preferred);
  rules.defaults.push_back("space.name=" + space_of(genotype, application.plugins));
  if (const std::size_t listed = genotype.genotype.positions(); listed > 0)
    rules.defaults.push_back("space.layers=" + std::to_string(listed));
  return rules;
}

/// The genotype of a new training, so that a mistake in it comes before what is said of the output.
std::optional<GenotypeArgument> fresh_genotype(const TrainRequest& request, const Application& application,
                                               const RunRules& rules) {
  if (request.goes_on()) return std::nullopt;
  const Config config = config_of(request, application, rules, nullptr);
  return genotype_of(request, config, nullptr, application);
}

/// Refused, where it is, before its memory is taken for steps of `batch`. The config and genotype of a resumed training
/// come from its archive, whose fault their defects are.
Training training_of(const Archive* resumed, const Config& config, const ComponentOptions& options,
                     const DatasetHandle& data, const Genotype& genotype, const Application& application,
                     std::int64_t batch) {
  const NetworkData shape = network_data(data.info());
  require_memory(resumed != nullptr ? archived_size(*resumed, config, shape, application.plugins, options)
                                    : measured_network(config, genotype, shape, application.plugins, options),
                 config, task_of(shape), batch);
  if (resumed != nullptr) return resumed_training(*resumed, config, application.plugins, options, data);
  return Training(config, genotype, application.plugins, options, data);
}

std::string count_text(std::int64_t count, const char* what) { return std::to_string(count) + " " + what; }

}  // namespace

TrainSession::TrainSession(const TrainRequest& request, const Application& application)
    : weights_(request.weights.empty() ? nullptr : WeightFile::open(request.weights)),
      rules_(rules_for(request, application)),
      fresh_(fresh_genotype(request, application, rules_)),
      setup_(request, application, rules_),
      genotype_(fresh_ ? *fresh_ : genotype_of(request, setup_.config(), setup_.resumed(), application)),
      training_(training_of(setup_.resumed(), setup_.config(), setup_.options(), setup_.data(), genotype_.genotype,
                            application, setup_.config().train.batch)) {
  if (setup_.resumed() != nullptr) restore(training_, *setup_.resumed());
  if (weights_ != nullptr) notes_ = put_weights(*weights_, training_.model().network());
}

void TrainSession::save() {
  require_readable(training_.genotype());
  archive_of(training_, setup_.texts(), setup_.provenance()).save(setup_.request().out);
}

std::vector<std::string> TrainSession::notes() const {
  std::vector<std::string> lines = setup_.notes();
  for (const std::vector<std::string>* more : {&genotype_.notes, &setup_.data().info().notes, &notes_})
    lines.insert(lines.end(), more->begin(), more->end());
  return lines;
}

LoadedNetwork::LoadedNetwork(const TrainRequest& request, const Application& application)
    : weights(WeightFile::open(request.weights)),
      inputs(request, application, rules_for(request, application)),
      genotype(genotype_of(request, inputs.config, nullptr, application)),
      model([&] {
        const NetworkData shape = network_data(inputs.data.info());
        require_memory(measured_network(inputs.config, genotype.genotype, shape, application.plugins, inputs.options),
                       inputs.config, task_of(shape), /*batch=*/0);
        return DiscreteModel(inputs.config, genotype.genotype, shape, application.plugins, inputs.options);
      }()),
      notes(put_weights(*weights, model.network())) {
  notes.insert(notes.begin(), genotype.notes.begin(), genotype.notes.end());
}

/// Does once what every checkpoint needs, so that no epoch is lost to what could be known at the start.
void TrainSession::try_checkpoint() {
  require_readable(training_.genotype());
  (void)archive_of(training_, setup_.texts(), setup_.provenance()).finish();
}

RunEnd TrainSession::run(SessionObserver& observer, const std::atomic<int>& interrupt) {
  const SearchPosition& at = training_.position().at;
  const bool finished = at.epoch == at.epochs;
  if (finished)
    observer.on_line("finished before: all " + std::to_string(at.epochs) +
                     " epochs are in the archive; for more: --continue --set train.epochs=N");
  else
    try_checkpoint();
  Recorder recorder(
      setup_.request().out, [&] { return archive_of(training_, setup_.texts(), setup_.provenance()); },
      [&] { return training_.data().replaced(); }, open_metrics(setup_, training_), training_.task(), observer);
  for (const std::string& line : notes()) observer.on_line(line);
  if (!finished) announce(observer);
  return run_advised(training_, recorder, interrupt, training_.config());
}

/// One line on what is trained, where and on what.
void TrainSession::announce(SessionObserver& observer) {
  const Task& task = training_.task();
  TrainingData& records = training_.data();
  const std::int64_t held_out = records.count(Records::valid), test = records.count(Records::test);
  observer.on_line("training the genotype " + genotype_.title + " (" + task.size_text(training_.config().space) + ", " +
                   count_text(training_.model().cost().parameters, "parameters") + ") on " +
                   setup_.data().name() + ", " + count_text(records.count(Records::train), task.record_unit()) + ", " +
                   (held_out > 0 ? count_text(held_out, "held out, ") : std::string()) +
                   count_text(records.steps_in(training_.position().at.epoch), "steps an epoch, ") +
                   device_text(training_.config().device) + ", " + count_text(at::get_num_threads(), "thread(s)"));
  if (const std::string fewer = fewer_threads(training_.config().threads); !fewer.empty()) observer.on_line(fewer);
  if (test == 0)
    observer.on_line("the data set " + setup_.data().name() + " has no test split, so nothing is measured on one");
}

RunForecast forecast(const TrainRequest& request, const Application& application) {
  PlannedRun run(request, application, rules_for(request, application));
  const Archive* const archive = run.archive ? &*run.archive : nullptr;
  const Genotype genotype = genotype_of(request, run.config, archive, application).genotype;
  RunForecast forecast{run.config, {}, run.data_missing};
  const auto weights = request.weights.empty() ? nullptr : WeightFile::open(request.weights);
  if (!run.data) return forecast;
  Training training = training_of(archive, run.config, run.options, *run.data, genotype, application,
                                  largest_trial(run.config.train.batch));
  if (weights != nullptr) (void)put_weights(*weights, training.model().network());  // which may not fit
  forecast.peak_memory = predict_peak_memory(training);
  return forecast;
}

RunInputs inputs_of(const TrainRequest& request, const Application& application) {
  return RunInputs(request, application, rules_for(request, application));
}

std::string network_defect(const TrainRequest& request, const Application& application) {
  const RunInputs inputs(request, application, rules_for(request, application));
  const Genotype genotype = genotype_of(request, inputs.config, nullptr, application).genotype;
  (void)device_of(inputs.config.device);  // whose lack is no defect of the genotype
  try {
    const DiscreteModel model(inputs.config, genotype, network_data(inputs.data.info()), application.plugins,
                              inputs.options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace mixop
