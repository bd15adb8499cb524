#include <algorithm>
#include <iostream>
#include <optional>
#include <set>

#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/cli/named_genotype.hpp"
#include "host/cli/run_options.hpp"
#include "host/cli/summary_table.hpp"
#include "host/config/resolve.hpp"
#include "host/graph/measure.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/json/json_writer.hpp"
#include "host/search/baseline.hpp"
#include "host/search/composition.hpp"
#include "host/search/memory.hpp"
#include "host/search/size_limit.hpp"
#include "host/text/numbers.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "host/train/training_memory.hpp"

namespace mixop::cli {
namespace {

constexpr std::int64_t kDeepest = 3, kMostRecords = 1000000;

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
      "channels", po::value<std::int64_t>()->value_name("C"), "of the first cells; default: 36, supernet 16")(
      "layers", po::value<std::int64_t>()->value_name("L"),
      "cells; default: as many as the genotype lists, or 20; supernet 8")(
      "nodes", po::value<std::int64_t>()->value_name("N"), "of a supernet's cells; default: 4, recurrent 8")(
      "width", po::value<std::int64_t>()->value_name("W"),
      "recurrent: embedding and hidden state; default: 850, supernet 300")(
      "vocabulary", po::value<std::int64_t>()->value_name("N"), "recurrent: words; default: 10000")(
      "baseline", po::value<std::string>()->value_name("G"),
      "network that a supernet starts from: a genotype of the space or a JSON file")(
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
    throw Error(ErrorCode::usage, "--input: expected channels x height x width such as 3x32x32, found '" + text + "'");
  return {sizes[0], sizes[1], sizes[2]};
}

/// An option of the other domain would change nothing.
void require_unused(const po::variables_map& values, std::initializer_list<const char*> names, const char* kind) {
  for (const char* name : names)
    if (values.count(name) != 0 && !values[name].defaulted())
      throw Error(ErrorCode::usage, std::string("--") + name + " means nothing to a " + kind + " space; leave it out");
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

/// The sizes that options do not name.
SpaceConfig default_sizes(Domain domain, bool supernet, std::int64_t layers) {
  SpaceConfig sizes;
  sizes.channels = supernet ? 16 : 36;
  sizes.layers = layers;
  sizes.width = supernet ? 300 : 850;
  if (domain == Domain::recurrent) {
    sizes.nodes = 8;
    sizes.classes = 10000;
  }
  return sizes;
}

/// Those of a genotype: its archive's, where it comes from one.
SpaceConfig default_sizes(const GenotypeArgument& genotype, Domain domain, const PluginRegistry& plugins) {
  const auto listed = static_cast<std::int64_t>(genotype.genotype.positions());
  SpaceConfig sizes = default_sizes(domain, false, listed > 0 ? listed : 20);
  if (!genotype.config) return sizes;
  const SpaceKeys& keys = genotype.config->space;
  sizes.channels = keys.channels;
  sizes.layers = keys.layers;
  sizes.width = keys.width;
  sizes.stem = keys.stem;
  std::optional<NetworkData> data = genotype.data;
  try {
    if (!data) data = network_data(open_data(*genotype.config, plugins, options_of(*genotype.config)).info());
  } catch (const Error& error) {
    say("the archive of a search does not tell what its data set holds, which is not at hand (" +
        std::string(error.what()) + "); where --input, --classes or --vocabulary is not given, " +
        (domain == Domain::image ? "3x32x32 images of 10 classes are" : "a vocabulary of 10000 is") + " taken");
  }
  if (!data) return sizes;
  sizes.classes = data->classes;
  if (domain == Domain::image) sizes.input = data->shape;
  return sizes;
}

SpaceConfig config_of(const po::variables_map& values, Domain domain, const SpaceConfig& defaults) {
  SpaceConfig config = defaults;
  if (domain == Domain::recurrent) {
    require_unused(values, {"channels", "layers", "input", "classes", "stem"}, "recurrent");
    config.width = number(values, "width", defaults.width);
    config.nodes = number(values, "nodes", defaults.nodes);
    config.classes = number(values, "vocabulary", defaults.classes, 16777216);
    return config;
  }
  require_unused(values, {"width", "vocabulary"}, "convolutional");
  config.channels = number(values, "channels", defaults.channels);
  config.layers = number(values, "layers", defaults.layers);
  config.nodes = number(values, "nodes", defaults.nodes);
  config.classes = number(values, "classes", defaults.classes);
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
Config run_config(RunKind kind, const std::string& space, Domain domain, const SpaceConfig& sizes,
                  const PluginRegistry& plugins) {
  const bool search = kind == RunKind::search;
  ConfigRequest request;
  request.kind = kind;
  request.presets_folder = presets_folder();
  request.preset_or_file = domain == Domain::recurrent ? search ? "darts-ptb-search" : "darts-ptb-train"
                           : search                    ? "darts-cifar10"
                                                       : "darts-cifar10-train";
  Config config = resolve_config(request, option_catalog(plugins));
  config.space.name = space;
  config.space.channels = sizes.channels;
  config.space.layers = sizes.layers;
  config.space.width = sizes.width;
  config.space.nodes = sizes.nodes;
  config.space.ops = sizes.operations;
  config.space.stem = sizes.stem;
  return config;
}

/// A data set of that shape, as far as a run without data asks.
DatasetInfo info_of(const SpaceConfig& sizes, Domain domain) {
  DatasetInfo info;
  info.kind = domain == Domain::image ? MIXOP_DATA_IMAGES : MIXOP_DATA_TEXT;
  info.classes = sizes.classes;
  if (domain != Domain::image) return info;
  info.channels = static_cast<std::int32_t>(sizes.input.channels);
  info.height = static_cast<std::int32_t>(sizes.input.height);
  info.width = static_cast<std::int32_t>(sizes.input.width);
  return info;
}

Summary summarise_supernet(const po::variables_map& values, const PluginRegistry& plugins) {
  const std::string name = text(values, "space", "darts_cnn");
  const auto space = make_part<SearchSpace>(plugins, name, {});
  SpaceConfig sizes = config_of(values, space->domain(), default_sizes(space->domain(), true, 8));
  sizes.operations = values.count("ops") != 0 ? split(text(values, "ops"), ',') : space->default_operations();
  const std::string baseline = baseline_text(text(values, "baseline"));
  set_baseline(sizes, baseline, *space, name);
  Summary summary;
  summary.no_auxiliary = "the search network has none";
  summary.network = measure(space->search(sizes), RegistryCatalog(plugins));
  if (values.count("batch") == 0) return summary;
  Config config = run_config(RunKind::search, name, space->domain(), sizes, plugins);
  config.space.baseline = baseline;
  config.search.batch = number(values, "batch", 1, kMostRecords);
  config.search.strategy = values.count("order") == 0           ? space->default_strategy()
                           : number(values, "order", 1, 2) == 1 ? "first_order"
                                                                : "second_order";
  Search search(config, plugins, options_of(config), info_of(sizes, space->domain()));
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
  const std::string name = space_of(argument);
  const auto space = make_part<SearchSpace>(plugins, name, {});
  const RegistryCatalog operators(plugins);
  SpaceConfig sizes = config_of(values, space->domain(), default_sizes(argument, space->domain(), plugins));
  sizes.auxiliary = space->domain() == Domain::image;
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
  if (argument.data && !is_sized(values))  // a network's archive, whose arrays bound what its config may mean
    require_size(Archive::open(text(values, "genotype")), 4 * summary.network.cost().parameters);
  const std::int64_t auxiliary = summary.network.auxiliary_parameters();
  if (auxiliary > 0) summary.with_auxiliary = summary.network.cost().parameters + auxiliary;
  if (values.count("batch") == 0) return summary;
  Config config = run_config(RunKind::train, name, space->domain(), sizes, plugins);
  config.train.batch = number(values, "batch", 1, kMostRecords);
  if (!sizes.auxiliary) config.train.auxiliary = 0;
  Training training(config, argument.genotype, plugins, options_of(config), info_of(sizes, space->domain()));
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
    say("operator '" + name + "' does not tell its multiply-adds; they are not in the sum");
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
  const MachineLimit limit;
  const bool supernet = text(*values, "genotype") == "supernet";
  print(supernet ? summarise_supernet(*values, plugins) : summarise_network(*values, plugins), depth,
        values->count("json") != 0);
  return 0;
}

}  // namespace mixop::cli
