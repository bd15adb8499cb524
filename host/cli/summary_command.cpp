#include <algorithm>
#include <iostream>
#include <optional>
#include <set>

#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/cli/named_genotype.hpp"
#include "host/cli/run_options.hpp"
#include "host/cli/summary_table.hpp"
#include "host/config/layers.hpp"
#include "host/config/resolve.hpp"
#include "host/graph/measure.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/json/json_writer.hpp"
#include "host/search/baseline.hpp"
#include "host/search/composition.hpp"
#include "host/search/memory.hpp"
#include "host/search/memory_limit.hpp"
#include "host/session/genotype_argument.hpp"
#include "host/text/numbers.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "host/train/training_memory.hpp"

namespace mixop::cli {
namespace {

constexpr std::int64_t kDeepest = 3, kMostRecords = 1000000, kMostNames = 16777216, kPublishedWidth = 850;

struct Summary {
  MeasuredNetwork network;
  std::optional<std::int64_t> with_auxiliary;
  std::string no_auxiliary;  ///< why there is none
  std::optional<std::int64_t> peak_memory;
};

CommandSyntax summary_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop summary [--space S] --genotype G|supernet [--channels C] [--layers L] [--input 3x32x32] [--classes N]\n"
      "       mixop summary --space darts_rnn --genotype G|supernet [--width W] [--vocabulary N]\n"
      "       mixop summary ... [--depth 1|2|3] [--batch N [--order 1|2]]";
  syntax.about =
      "Counts the parameters, without and with the auxiliary head, and the multiply-adds of one sample (convolutions "
      "and linear\n"
      "layers, in evaluation) of a genotype's network, or of the search network with --genotype supernet, and lists "
      "its "
      "parts. Recurrent:\n"
      "multiply-adds of one word, cell and decoder. --batch predicts the memory of a training, or of a search.";
  syntax.options.add_options()("space", po::value<std::string>()->value_name("S"),
                               "search space; default: the genotype's")(
      "genotype", po::value<std::string>()->value_name("G"),
      "a name, a file, a run's archive, whose sizes are the defaults, or supernet")(
      "channels", po::value<std::int64_t>()->value_name("C"), "of the first cells; default: 36, supernet 16, or the space's")(
      "layers", po::value<std::int64_t>()->value_name("L"),
      "cells; default: as many as the genotype lists, or 20, supernet 8, or the space's")(
      "nodes", po::value<std::int64_t>()->value_name("N"), "of a supernet's cells; default: 4, or the space's")(
      "width", po::value<std::int64_t>()->value_name("W"),
      "recurrent: embedding and hidden state; default: 850, supernet 300")(
      "vocabulary", po::value<std::int64_t>()->value_name("N"), "recurrent: words; default: 10000")(
      "baseline", po::value<std::string>()->value_name("G"),
      "network that a supernet starts from: a genotype as --genotype takes them")(
      "ops", po::value<std::string>()->value_name("A,B,..."),
      "candidate operations of a supernet; default: the space's")(
      "input", po::value<std::string>()->value_name("CxHxW")->default_value("3x32x32"), "shape of an image")(
      "classes", po::value<std::int64_t>()->value_name("N")->default_value(10), "classes")(
      "stem", po::value<std::string>()->value_name("NAME")->default_value("auto"),
      "cifar, imagenet, or auto: imagenet from 128 pixels on")(
      "depth", po::value<std::int64_t>()->value_name("N")->default_value(1),
      "1 lists stem, cells and heads, 2 their operations, 3 the candidates of a supernet's edges")(
      "batch", po::value<std::int64_t>()->value_name("N"), "predicts the peak memory of steps on so many samples")(
      "order", po::value<std::int64_t>()->value_name("1|2"),
      "with --batch: of the supernet's search; default: the space's own strategy")("json", "prints JSON");
  add_plugin_options(syntax);
  return syntax;
}

ImageShape shape_of(const std::string& text) {
  std::vector<std::int64_t> sizes;
  for (const std::string& part : split(text, 'x')) {
    const std::int64_t size = number_of<std::int64_t>(part).value_or(0);
    if (size < 1 || size > 65536) sizes.clear();
    sizes.push_back(size);
  }
  if (sizes.size() != 3)
    throw Error(ErrorCode::usage, "--input: expected channels x height x width such as 3x32x32, found '" + excerpt(text) + "'");
  return {sizes[0], sizes[1], sizes[2]};
}

/// An option of another task would change nothing.
void require_meaning(const po::variables_map& values, const Task& task) {
  const auto& own = task.size_options();
  for (const Task* other : tasks())
    for (const char* name : other->size_options())
      if (std::find_if(own.begin(), own.end(), [&](const char* option) { return std::string(option) == name; }) ==
              own.end() &&
          values.count(name) != 0 && !values[name].defaulted())
        throw Error(ErrorCode::usage, std::string("--") + name + " means nothing to a space of " + task.data_name() +
                                          "; leave it out");
}

std::int64_t number(const po::variables_map& values, const char* name, std::int64_t fallback,
                    std::int64_t most = 100000) {
  const bool given = values.count(name) != 0 && !values[name].defaulted();
  const std::int64_t value = given ? values[name].as<std::int64_t>() : fallback;
  if (value < 1 || value > most)
    throw Error(ErrorCode::usage, std::string("--") + name + ": expected a number from 1 to " + std::to_string(most) +
                                      ", found " + std::to_string(value));
  return value;
}

/// Sizes where nothing is said: the space's own, on its task's usual data.
SpaceConfig default_sizes(RunKind kind, const std::string& name, const SearchSpace& space,
                          const PluginRegistry& plugins) {
  const NetworkData data = task_of(space.domain()).usual_data();
  SpaceConfig sizes = alphas_config(default_config(kind, name, option_catalog(plugins)).space, space);
  sizes.width = kind == RunKind::search ? sizes.width : kPublishedWidth;
  sizes.input = data.shape;
  sizes.classes = data.classes;
  return sizes;
}

/// Those of a genotype: its archive's, where it comes from one.
SpaceConfig default_sizes(const GenotypeArgument& genotype, const std::string& name, const SearchSpace& space,
                          const PluginRegistry& plugins) {
  SpaceConfig sizes = default_sizes(RunKind::train, name, space, plugins);
  if (const auto listed = static_cast<std::int64_t>(genotype.genotype.positions()); listed > 0) sizes.layers = listed;
  if (!genotype.config) return sizes;
  static_cast<SpaceSizes&>(sizes) = genotype.config->space;
  sizes.classes = genotype.data->classes;
  sizes.input = genotype.data->shape;
  return sizes;
}

SpaceConfig config_of(const po::variables_map& values, const Task& task, const SpaceConfig& defaults) {
  require_meaning(values, task);
  SpaceConfig config = defaults;
  config.channels = number(values, "channels", defaults.channels);
  config.layers = number(values, "layers", defaults.layers);
  config.width = number(values, "width", defaults.width);
  config.nodes = number(values, "nodes", defaults.nodes);
  config.classes = number(values, task.size_options().back(), defaults.classes, kMostNames);
  if (!values["input"].defaulted()) config.input = shape_of(text(values, "input"));
  if (!values["stem"].defaulted()) config.stem = text(values, "stem");
  return config;
}

void require_absent(const po::variables_map& values, std::initializer_list<const char*> names,
                    const std::string& reason) {
  for (const char* name : names)
    if (values.count(name) != 0) throw Error(ErrorCode::usage, std::string("--") + name + " " + reason);
}

/// The published run of that kind, with the sizes at hand.
Config run_config(RunKind kind, const std::string& space, const Task& task, const SpaceConfig& sizes,
                  const PluginRegistry& plugins) {
  ConfigRequest request;
  request.kind = kind;
  request.preset_folders = shared_folders(plugins, "presets");
  request.preset_or_file = task.preset(kind);
  Config config = resolve_config(request, option_catalog(plugins));
  static_cast<SpaceSizes&>(config.space) = sizes;
  config.space.name = space;
  return config;
}

Summary summarise_supernet(const po::variables_map& values, const PluginRegistry& plugins) {
  const std::string name = text(values, "space", "darts_cnn");
  const auto space = make_part<SearchSpace>(plugins, name, {});
  const Task& task = task_of(space->domain());
  SpaceConfig sizes = config_of(values, task, default_sizes(RunKind::search, name, *space, plugins));
  if (values.count("ops") != 0) sizes.operations = split(text(values, "ops"), ',');
  const auto [baseline, notes] = read_baseline(text(values, "baseline"), name, plugins);
  for (const std::string& note : notes) say(note);
  set_baseline(sizes, baseline, *space, name);
  Summary summary;
  summary.no_auxiliary = "the search network has none";
  summary.network = measure(space->search(sizes), RegistryCatalog(plugins));
  if (values.count("batch") == 0) return summary;
  Config config = run_config(RunKind::search, name, task, sizes, plugins);
  config.space.baseline = baseline;
  config.search.batch = number(values, "batch", 1, kMostRecords);
  config.search.strategy = values.count("order") == 0           ? space->defaults().strategy
                           : number(values, "order", 1, 2) == 1 ? "first_order"
                                                                : "second_order";
  require_memory(summary.network, config, task, largest_trial(config.search.batch));
  Search search(config, plugins, options_of(config), task.info_of(sizes.input, sizes.classes));
  summary.peak_memory = predict_peak_memory(search);
  return summary;
}

/// Whether an option names a size.
bool is_sized(const po::variables_map& values) {
  for (const char* name : {"channels", "layers", "width", "vocabulary", "input", "classes", "stem"})
    if (values.count(name) != 0 && !values[name].defaulted()) return true;
  return false;
}

Summary summarise_network(const po::variables_map& values, const PluginRegistry& plugins) {
  require_absent(values, {"ops", "nodes", "baseline"},
                 "belongs to --genotype supernet; a genotype has its own, so leave it out");
  require_absent(values, {"order"}, "belongs to --genotype supernet; a training has no such orders, so leave it out");
  const GenotypeArgument argument = named_genotype(text(values, "genotype"), values, plugins);
  const std::string name = space_of(argument, plugins);
  const auto space = make_part<SearchSpace>(plugins, name, {});
  const RegistryCatalog operators(plugins);
  const Task& task = task_of(space->domain());
  SpaceConfig sizes = config_of(values, task, default_sizes(argument, name, *space, plugins));
  sizes.auxiliary = true;
  Summary summary;
  summary.no_auxiliary = "this network has none";
  try {
    summary.network = measure(space->network(sizes, argument.genotype), operators);
  } catch (const Error& error) {  // the head's problem, or the network's, which comes again without it
    if (error.code() != ErrorCode::usage || !sizes.auxiliary) throw;
    summary.no_auxiliary = error.what();
    sizes.auxiliary = false;
    summary.network = measure(space->network(sizes, argument.genotype), operators);
  }
  if (argument.config && argument.config->kind == RunKind::train && !is_sized(values))
    require_stored(Archive::open(text(values, "genotype")), summary.network.cost().parameters);
  const std::int64_t auxiliary = summary.network.auxiliary_parameters();
  if (auxiliary > 0) summary.with_auxiliary = summary.network.cost().parameters + auxiliary;
  if (values.count("batch") == 0) return summary;
  Config config = run_config(RunKind::train, name, task, sizes, plugins);
  config.train.batch = number(values, "batch", 1, kMostRecords);
  if (!sizes.auxiliary) config.train.auxiliary = 0;
  require_memory(summary.network, config, task, largest_trial(config.train.batch));
  Training training(config, argument.genotype, plugins, options_of(config), task.info_of(sizes.input, sizes.classes));
  summary.peak_memory = predict_peak_memory(training);
  return summary;
}

void print_json(const Summary& summary, const std::vector<std::string>& uncounted, std::int64_t depth) {
  const Cost cost = summary.network.cost();
  JsonWriter writer;
  writer.begin_object().member("parameters", cost.parameters).key("parameters_with_auxiliary");
  summary.with_auxiliary ? writer.value(*summary.with_auxiliary) : writer.null();
  writer.member("multiply_adds", cost.multiply_adds).member("uncounted", uncounted);
  writer.member("activation_bytes", activation_bytes(cost));
  if (summary.peak_memory) writer.member("peak_memory_bytes", *summary.peak_memory);
  writer.key("rows");
  write_parts(writer, summary.network.parts, depth);
  std::cout << writer.end().text() << std::endl;
}

void print_text(const Summary& summary, const std::vector<std::string>& uncounted, std::int64_t depth) {
  const Cost cost = summary.network.cost();
  std::cout << "parameters                      " << cost.parameters << "\nparameters with auxiliary head  ";
  if (summary.with_auxiliary) {
    std::cout << *summary.with_auxiliary;
  } else {
    std::cout << "- (" << printable(summary.no_auxiliary) << ")";
  }
  std::cout << "\nmultiply-adds                   " << cost.multiply_adds
            << "\nactivation bytes                " << activation_bytes(cost) << "\n";
  if (summary.peak_memory) std::cout << "peak memory                     " << *summary.peak_memory << "\n";
  std::cout << "\n";
  print_parts(summary.network.parts, depth);
  std::cout << std::flush;
  for (const std::string& name : uncounted)
    say("operator '" + name + "' does not report its multiply-adds; they are not in the sum");
}

void print(const Summary& summary, std::int64_t depth, bool json) {
  const std::vector<std::string> all = summary.network.cost().uncounted;
  const std::set<std::string> distinct(all.begin(), all.end());
  const std::vector<std::string> uncounted(distinct.begin(), distinct.end());
  json ? print_json(summary, uncounted, depth) : print_text(summary, uncounted, depth);
  if (summary.peak_memory) say_memory(*summary.peak_memory, "the data set, ");
}

}  // namespace

int summary_command(const std::vector<std::string>& arguments) {
  const auto values = parse(summary_syntax(), arguments);
  if (!values) return 0;
  if (values->count("genotype") == 0)
    throw Error(ErrorCode::usage,
                "--genotype is missing: a name, a file, or supernet\nUsage: " + summary_syntax().usage);
  if (values->count("order") != 0 && values->count("batch") == 0)
    throw Error(ErrorCode::usage, "--order says whose memory --batch N predicts; give both or leave it out");
  const std::int64_t depth = number(*values, "depth", 1, kDeepest);
  const PluginRegistry plugins = load_plugins(*values);
  const bool supernet = text(*values, "genotype") == "supernet";
  print(supernet ? summarise_supernet(*values, plugins) : summarise_network(*values, plugins), depth,
        values->count("json") != 0);
  return 0;
}

}  // namespace mixop::cli
