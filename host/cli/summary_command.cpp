#include <algorithm>
#include <charconv>
#include <iostream>
#include <optional>
#include <set>

#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/cli/genotype_argument.hpp"
#include "host/json/json_writer.hpp"
#include "host/plugins/operator_catalog.hpp"
#include "host/search/baseline.hpp"
#include "host/search/composition.hpp"
#include "host/text/text.hpp"

namespace mixop::cli {
namespace {

struct Summary {
  Cost cost;
  std::optional<std::int64_t> with_auxiliary;
  std::string no_auxiliary;  ///< why there is none
};

CommandSyntax summary_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop summary [--space S] --genotype G|supernet [--channels C] [--layers L] [--input 3x32x32] [--classes N]\n"
      "       mixop summary --space darts_rnn --genotype G|supernet [--width W] [--vocabulary N]";
  syntax.about =
      "Counts the parameters, without and with the auxiliary head, and the multiply-adds of one sample (convolutions "
      "and linear\n"
      "layers, in evaluation) of a genotype's network, or of the search network with --genotype supernet. Recurrent: "
      "multiply-adds of one\n"
      "word, cell and decoder.";
  syntax.options.add_options()("space", po::value<std::string>()->value_name("S"),
                               "search space; default: the genotype's")(
      "genotype", po::value<std::string>()->value_name("G"), "a name, a file, a run's archive, or supernet")(
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
      "cifar, imagenet, or auto: imagenet from 128 pixels on")("json", "prints JSON");
  add_plugin_options(syntax);
  return syntax;
}

ImageShape shape_of(const std::string& text) {
  std::vector<std::int64_t> sizes;
  for (const std::string& part : split(text, 'x')) {
    std::int64_t size = 0;
    const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), size);
    if (failure != std::errc{} || end != part.data() + part.size() || size < 1 || size > 65536) sizes.clear();
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

SpaceConfig config_of(const po::variables_map& values, Domain domain, bool supernet, std::int64_t layers) {
  const auto number = [&](const char* name, std::int64_t fallback, std::int64_t most = 100000) {
    const std::int64_t value = values.count(name) != 0 ? values[name].as<std::int64_t>() : fallback;
    if (value < 1 || value > most)
      throw Error(ErrorCode::usage, std::string("--") + name + ": expected a number from 1 to " + std::to_string(most) +
                                        ", found " + std::to_string(value));
    return value;
  };
  SpaceConfig config;
  if (domain == Domain::recurrent) {
    require_unused(values, {"channels", "layers", "input", "classes", "stem"}, "recurrent");
    config.width = number("width", supernet ? 300 : 850);
    config.nodes = number("nodes", 8);
    config.classes = number("vocabulary", 10000, 16777216);
    return config;
  }
  require_unused(values, {"width", "vocabulary"}, "convolutional");
  config.channels = number("channels", supernet ? 16 : 36);
  config.layers = number("layers", layers);
  config.nodes = number("nodes", 4);
  config.classes = number("classes", 10);
  config.input = shape_of(text(values, "input"));
  config.stem = text(values, "stem");
  return config;
}

Summary summarise_supernet(const po::variables_map& values, const PluginRegistry& plugins) {
  const auto space = make_part<SearchSpace>(plugins, text(values, "space", "darts_cnn"), {});
  const auto transform = make_part<EdgeTransform>(plugins, "none", {});
  SpaceConfig config = config_of(values, space->domain(), true, 8);
  config.operations = values.count("ops") != 0 ? split(text(values, "ops"), ',') : space->default_operations();
  set_baseline(config, baseline_text(text(values, "baseline")), *space, text(values, "space", "darts_cnn"));
  return {space->supernet(config, RegistryCatalog(plugins), *transform)->cost(), std::nullopt,
          "the search network has none"};
}

Summary summarise_network(const po::variables_map& values, const PluginRegistry& plugins) {
  for (const char* option : {"ops", "nodes", "baseline"})
    if (values.count(option) != 0)
      throw Error(ErrorCode::usage, std::string("--") + option +
                                        " belongs to --genotype supernet; a genotype has its own, so leave it out");
  const GenotypeArgument argument = read_genotype(text(values, "genotype"), text(values, "space"), plugins);
  const auto space = make_part<SearchSpace>(plugins, space_of(argument), {});
  const RegistryCatalog operators(plugins);
  const auto listed = static_cast<std::int64_t>(argument.genotype.positions());
  SpaceConfig config = config_of(values, space->domain(), false, listed > 0 ? listed : 20);
  config.auxiliary = space->domain() == Domain::image;
  std::string no_auxiliary = "a recurrent network has none";
  if (config.auxiliary) {
    try {
      const auto network = space->network(config, argument.genotype, operators);
      return {network->cost(), network->cost().parameters + network->auxiliary_parameters(), ""};
    } catch (const Error& error) {  // the head's problem, or the network's, which comes again without it
      if (error.code() != ErrorCode::usage) throw;
      no_auxiliary = error.what();
    }
    config.auxiliary = false;
  }
  return {space->network(config, argument.genotype, operators)->cost(), std::nullopt, no_auxiliary};
}

void print(const Summary& summary, bool json) {
  const std::set<std::string> uncounted(summary.cost.uncounted.begin(), summary.cost.uncounted.end());
  if (json) {
    JsonWriter writer;
    writer.begin_object().member("parameters", summary.cost.parameters).key("parameters_with_auxiliary");
    summary.with_auxiliary ? writer.value(*summary.with_auxiliary) : writer.null();
    writer.member("multiply_adds", summary.cost.multiply_adds);
    writer.member("uncounted", std::vector<std::string>(uncounted.begin(), uncounted.end())).end();
    std::cout << writer.text() << std::endl;
    return;
  }
  std::cout << "parameters                      " << summary.cost.parameters << "\nparameters with auxiliary head  ";
  if (summary.with_auxiliary) {
    std::cout << *summary.with_auxiliary;
  } else {
    std::cout << "- (" << summary.no_auxiliary << ")";
  }
  std::cout << "\nmultiply-adds                   " << summary.cost.multiply_adds << std::endl;
  for (const std::string& name : uncounted)
    say("operator '" + name + "' does not tell its multiply-adds; they are not in the sum");
}

}  // namespace

int summary_command(const std::vector<std::string>& arguments) {
  const auto values = parse(summary_syntax(), arguments);
  if (!values) return 0;
  if (values->count("genotype") == 0)
    throw Error(ErrorCode::usage,
                "--genotype is missing: a name, a file, or supernet\nUsage: " + summary_syntax().usage);
  const PluginRegistry plugins = load_plugins(*values);
  const bool supernet = text(*values, "genotype") == "supernet";
  print(supernet ? summarise_supernet(*values, plugins) : summarise_network(*values, plugins),
        values->count("json") != 0);
  return 0;
}

}  // namespace mixop::cli
