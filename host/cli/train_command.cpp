#include "host/cli/all_commands.hpp"

#include <ATen/Parallel.h>

#include <cstdio>
#include <iostream>
#include <optional>

#include "host/cli/genotype_argument.hpp"
#include "host/cli/interrupt.hpp"
#include "host/cli/metrics_options.hpp"
#include "host/cli/recorder.hpp"
#include "host/cli/run_setup.hpp"
#include "host/cli/runs.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json_writer.hpp"
#include "host/loop/device.hpp"
#include "host/search/size_limit.hpp"
#include "host/train/network_archive.hpp"
#include "host/train/training_memory.hpp"

namespace mixop::cli {
namespace {

const RunCommand kTrain{RunKind::train, "net.h5", "NET.h5", archived_network_config};

CommandSyntax train_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop train --genotype NAME|FILE|ARCHIVE.h5 [PRESET|config.json] [--set key=value ...] [--data DIR] "
      "[--out NET.h5]\n"
      "       mixop train --resume|--continue --out NET.h5 [--set train.epochs=N ...] [--data DIR]";
  syntax.about =
      "Trains the network of a genotype from scratch and archives it after every epoch. The configuration is defaults "
      "< preset\n"
      "< file < --set; the defaults are those of the preset darts-cifar10-train. After every epoch images are measured "
      "on the test\n"
      "split and on the records that data.train_portion holds out, text on its valid split. The archive holds the last "
      "epoch, or\n"
      "with train.keep=best that of the least loss on the held-out records; nothing is selected by the test split.";
  syntax.options.add_options()("genotype", po::value<std::string>()->value_name("G"),
                               "a name, a JSON file, or the archive of a search or a network");
  syntax.options.add_options()(
      "continue",
      "goes on with a finished NET.h5 for more epochs: --set train.epochs=N, and weights.* where they change");
  add_run_options(syntax, kTrain);
  return syntax;
}

/// The genotype to train: --genotype, which --resume leaves out or repeats.
GenotypeArgument genotype_of(const po::variables_map& values, const Config& config, const Archive* resumed,
                             const PluginRegistry& plugins) {
  GenotypeArgument archived;
  if (resumed != nullptr) {
    archived = {resumed->name(), config.space.name, archived_genotype(*resumed), {}};
    if (values.count("genotype") == 0) return archived;
  }
  GenotypeArgument given = read_genotype(text(values, "genotype"), config.space.name, plugins);
  if (resumed != nullptr && !(given.genotype == archived.genotype))
    throw Error(ErrorCode::usage, "--resume and --continue go on with the genotype of " + resumed->name() +
                                      ", and --genotype means another; leave --genotype out, or start a new training");
  return given;
}

/// The command with what the genotype settles where nothing else is said: its space, and the cells that it lists.
RunCommand command_for(const po::variables_map& values, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  RunCommand command = kTrain;
  if (values.count("genotype") == 0) return command;
  const std::string preferred = config_of(values, catalog, kTrain, nullptr).space.name;
  const GenotypeArgument genotype = read_genotype(text(values, "genotype"), "", plugins, preferred);
  command.defaults.push_back("space.name=" + space_of(genotype));
  if (const std::size_t listed = genotype.genotype.positions(); listed > 0)
    command.defaults.push_back("space.layers=" + std::to_string(listed));
  return command;
}

/// Prints the configuration; the memory that it needs is predicted where the data is at hand.
int dry_run(const po::variables_map& values, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  const DryRun run(values, plugins, catalog, command_for(values, plugins, catalog));
  const Archive* const archive = run.archive ? &*run.archive : nullptr;
  const Genotype genotype = genotype_of(values, run.config, archive, plugins).genotype;
  std::optional<std::int64_t> bytes;
  const MachineLimit machine;
  if (run.data) {
    Training training = archive != nullptr ? resumed_training(*archive, run.config, plugins, run.options, *run.data)
                                           : Training(run.config, genotype, plugins, run.options, *run.data);
    bytes = predict_peak_memory(training);
  }
  std::cout << to_json(run.config) << std::endl;
  if (bytes) say_memory(*bytes);
  return 0;
}

std::string count_text(std::int64_t count, const char* what) { return std::to_string(count) + " " + what; }

/// One line on what is trained, where and on what.
void announce(Training& training, const GenotypeArgument& genotype, const DatasetHandle& data) {
  const SpaceKeys& space = training.config().space;
  TrainingData& records = training.data();
  const bool text = training.model().data().is_text();
  const char* const unit = text ? "words, " : "records, ";
  const std::int64_t held_out = records.count(Records::valid), test = records.count(Records::test);
  say("training " + genotype.title + " (" +
      (text ? count_text(space.width, "wide, ")
            : count_text(space.channels, "channels, ") + count_text(space.layers, "cells, ")) +
      count_text(training.model().cost().parameters, "parameters") + ") on " + data.name() + ", " +
      count_text(records.count(Records::train), unit) +
      (held_out > 0 ? count_text(held_out, "held out, ") : std::string()) +
      count_text(records.steps_in(training.position().at.epoch), "steps an epoch, ") +
      device_text(training.config().device) + ", " + count_text(at::get_num_threads(), "thread(s)"));
  if (test == 0) say("the data set " + data.name() + " has no test split, so nothing is measured on one");
}

/// An epoch's values of the metrics whose names begin with `prefix`.
void write_metrics(JsonWriter& json, const LoopRecord& record, std::int64_t epoch, const std::string& prefix) {
  for (const auto& [name, values] : record.metrics)
    if (name.rfind(prefix, 0) == 0) json.member(name, values.at(static_cast<std::size_t>(epoch - 1)));
}

void write_best(JsonWriter& json, const LoopRecord& record, const char* name, std::optional<std::int64_t> epoch) {
  json.key(name);
  if (!epoch) {
    json.null();
    return;
  }
  json.begin_object().member("epoch", *epoch);
  for (const char* prefix : {"test_", "valid_"}) write_metrics(json, record, *epoch, prefix);
  json.end();
}

std::string figure_text(const LoopRecord& record, const std::string& metric, std::int64_t epoch) {
  const auto found = record.metrics.find(metric);
  if (found == record.metrics.end()) return "";
  const std::string records = metric.substr(0, metric.find('_')), figure = metric.substr(metric.find('_') + 1);
  const bool perplexity = figure == "perplexity";
  char text[64];
  std::snprintf(text, sizeof text, perplexity ? ": %.2f" : ": %.2f %%",
                found->second.at(static_cast<std::size_t>(epoch - 1)));
  return records + " " + (perplexity ? figure : "top-" + figure.substr(3)) + text;
}

/// "valid top-1: 43.10 %, test top-1: 41.20 %, test top-5: 90.10 %", of what was measured.
std::string epoch_text(const LoopRecord& record, std::int64_t epoch) {
  std::string line;
  for (const char* metric : {"valid_perplexity", "valid_top1", "test_top1", "test_top5"})
    if (const std::string part = figure_text(record, metric, epoch); !part.empty())
      line += (line.empty() ? "" : ", ") + part;
  return line;
}

/// The epoch whose network the archive holds.
std::int64_t kept_epoch(const Training& training) {
  return training.own().best ? training.own().best->epoch : training.position().at.epoch;
}

/// The best epoch by the held-out records: the kept one, or that of the best accuracy.
std::optional<std::int64_t> best_held_out(const Training& training) {
  if (training.own().best) return training.own().best->epoch;
  return best_epoch(training.record(), training.model().data().is_text() ? "valid_loss" : "valid_top1");
}

void print_result(const Training& training) {
  const LoopRecord& record = training.record();
  const std::int64_t epoch = training.position().at.epoch, kept = kept_epoch(training);
  if (const std::string last = epoch_text(record, epoch); !last.empty())
    std::cout << "last epoch " << epoch << (kept == epoch ? ", which the archive holds: " : ": ") << last << "\n";
  if (kept != epoch)
    std::cout << "best epoch by the held-out records " << kept
              << ", which the archive holds: " << epoch_text(record, kept) << "\n";
  else if (const auto best = best_held_out(training))
    std::cout << "best epoch by the held-out records " << *best << ": " << epoch_text(record, *best) << "\n";
  if (const auto best = best_epoch(record, "test_top1"))
    std::cout << "best epoch by the test split " << *best << ": " << epoch_text(record, *best)
              << " (found by looking at the test split, so it is not a selection and no result to report)\n";
}

void report(Training& training, RunEnd end, const std::filesystem::path& out, bool json) {
  const LoopRecord& record = training.record();
  const SearchPosition& at = training.position().at;
  if (json) {
    JsonWriter writer;
    writer.begin_object().member("archive", out.string()).member("epoch", at.epoch).member("step", at.step);
    writer.member("interrupted", end == RunEnd::interrupted).member("kept_epoch", kept_epoch(training));
    if (at.epoch > 0) write_metrics(writer, record, at.epoch, "");
    write_best(writer, record, "best_epoch_by_held_out_records", best_held_out(training));
    write_best(writer, record, "best_epoch_by_test_split_not_a_selection", best_epoch(record, "test_top1"));
    writer.key("genotype").raw(genotype_to_json(training.genotype())).end();
    std::cout << writer.text() << std::endl;
  } else if (end != RunEnd::interrupted) {
    print_result(training);
  }
  say_end(RunKind::train, end, out);
}

/// The config and genotype of a resumed training come from its archive, which answers for them.
Training training_of(const RunSetup& setup, const Genotype& genotype, const PluginRegistry& plugins) {
  if (setup.resumed() != nullptr)
    return resumed_training(*setup.resumed(), setup.config(), plugins, setup.options(), setup.data());
  return Training(setup.config(), genotype, plugins, setup.options(), setup.data());
}

int run(const po::variables_map& values, const Arguments& arguments, const PluginRegistry& plugins,
        const OptionCatalog& catalog, bool prints) {
  const RunCommand command = command_for(values, plugins, catalog);
  std::optional<GenotypeArgument> fresh;
  if (!goes_on(values)) {  // a mistake in it comes before what is said of the output
    const Config config = config_of(values, catalog, command, nullptr);
    fresh = genotype_of(values, config, nullptr, plugins);
  }
  const RunSetup setup(values, arguments, plugins, catalog, command);
  const GenotypeArgument genotype = fresh ? *fresh : genotype_of(values, setup.config(), setup.resumed(), plugins);
  Training training = training_of(setup, genotype.genotype, plugins);
  if (setup.resumed() != nullptr) restore(training, *setup.resumed());
  if (training.position().at.epoch == training.position().at.epochs)
    say("finished before: all " + std::to_string(training.position().at.epochs) +
        " epochs are in the archive; train on by --continue --set train.epochs=N");
  Recorder recorder(
      setup.out(), [&] { return archive_of(training, setup.texts(), setup.provenance()); },
      [&] { return training.data().replaced(); }, open_metrics(values, setup, training));
  const InterruptGuard interrupt;
  announce(training, genotype, setup.data());
  const RunEnd end = training.run(recorder, interrupt.received());
  if (prints) report(training, end, setup.out(), values.count("json") != 0);
  return end == RunEnd::interrupted ? 128 + interrupt.received() : 0;
}

}  // namespace

RunInputs training_inputs(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  RunInputs inputs(*parse(train_syntax(), arguments), plugins, catalog, kTrain);
  return inputs;
}

std::string network_defect(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  const po::variables_map values = *parse(train_syntax(), arguments);
  const RunInputs inputs(values, plugins, catalog, command_for(values, plugins, catalog));
  const Genotype genotype = genotype_of(values, inputs.config, nullptr, plugins).genotype;
  (void)device_of(inputs.config.device);  // whose lack is no defect of the genotype
  try {
    const DiscreteModel model(inputs.config, genotype, network_data(inputs.data.info()), plugins,
                              options_of(inputs.config));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

int run_training(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  return run(*parse(train_syntax(), arguments), arguments, plugins, catalog, /*prints=*/false);
}

int train_command(const Arguments& arguments) {
  const auto values = parse(train_syntax(), arguments);
  if (!values) return 0;
  const PluginRegistry plugins = load_plugins(*values);
  const OptionCatalog catalog = option_catalog(plugins);
  if (print_keys(*values, catalog, RunKind::train)) return 0;
  if (values->count("genotype") == 0 && !goes_on(*values))
    throw Error(ErrorCode::usage,
                "--genotype is missing: a name such as DARTS_V2, a JSON file, or the archive of a "
                "search\nUsage: " +
                    train_syntax().usage);
  return values->count("dry-run") != 0 ? dry_run(*values, plugins, catalog)
                                       : run(*values, arguments, plugins, catalog, /*prints=*/true);
}

}  // namespace mixop::cli
