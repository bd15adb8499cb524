#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <optional>

#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/cli/named_genotype.hpp"
#include "host/config/layers.hpp"
#include "host/genotype/alphas_file.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/genotype/genotype_python.hpp"
#include "host/genotype/genotype_subnet.hpp"
#include "host/json/json_writer.hpp"
#include "host/search/archived_run.hpp"
#include "host/search/search.hpp"
#include "host/session/application.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "host/train/network_check.hpp"

namespace mixop::cli {
namespace {

constexpr int kMostNodes = 64;

CommandSyntax derive_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop derive RUN.h5 [--epoch N] | --space S --alphas FILE [--relaxation none] | GENOTYPE\n       [--rule R] "
      "[--threshold T] [--form F]";
  syntax.about =
      "Prints a genotype: that of a run, a published name's, a file's, or that of raw alphas in a JSON file: "
      "{\"alphas_normal\": [[...]], \"alphas_reduce\": "
      "[[...]]},\n"
      "{\"alphas\": ...}, a list of such cases, or {\"cases\": [...]}; a list of cases gives a list. The relaxation is "
      "applied\n"
      "in float32.";
  syntax.options.add_options()("space", po::value<std::string>()->value_name("S"), "the space of --alphas")(
      "alphas", po::value<std::string>()->value_name("FILE"), "raw alphas as JSON")(
      "ops", po::value<std::string>()->value_name("A,B,..."),
      "candidate operations of --alphas, in the order of its columns; default: the space's")(
      "strategy", po::value<std::string>()->value_name("S"),
      "whose relaxation and rule; default: the run's, or the space's")(
      "rule", po::value<std::string>()->value_name("R"), "another derivation rule")(
      "threshold", po::value<std::string>()->value_name("T"),
      "of the rules threshold_...: edge weights above it are kept; default: 0.85")(
      "relaxation", po::value<std::string>()->value_name("none"),
      "none: the numbers of --alphas are relaxed already, as softmax prints them")(
      "epoch", po::value<std::int64_t>()->value_name("N"), "after that many epochs; default: the last")(
      "form", po::value<std::string>()->value_name("F")->default_value("json"),
      "json; python: the text form of published code, a line a genotype; or mmrazor: the YAML by which MMRazor fixes a subnet")(
      "json", "has no effect: the output is JSON unless --form says otherwise");
  syntax.positionals = 1;
  add_plugin_options(syntax);
  return syntax;
}

std::string shape_text(const at::Tensor& tensor) {
  std::vector<std::string> sizes;
  for (const std::int64_t size : tensor.sizes()) sizes.push_back(std::to_string(size));
  return joined(sizes, "x");
}

at::Tensor tensor_of(const RawAlphas& raw) {
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(raw.edges), static_cast<std::int64_t>(raw.operations)};
  if (raw.cells > 0) shape.insert(shape.begin(), static_cast<std::int64_t>(raw.cells));
  return at::tensor(raw.values, at::kDouble).view(shape).to(at::kFloat);
}

at::Tensor alphas_of(const AlphaSet& declaration, const std::vector<RawAlphas>& raw, const std::string& where) {
  for (const RawAlphas& candidate : raw) {
    if (candidate.name != declaration.name) continue;
    const at::Tensor alphas = tensor_of(candidate);
    const auto& operations = declaration.topology.operations;
    if (candidate.operations != operations.size())
      throw Error(ErrorCode::bad_data, where + ": \"" + declaration.name + "\" is " + shape_text(alphas) +
                                           "; expected " + std::to_string(operations.size()) +
                                           " columns, one for each of " + joined(operations) +
                                           " (name others by --ops)");
    if ((candidate.cells > 0) != declaration.per_cell)
      throw Error(ErrorCode::bad_data, where + ": \"" + declaration.name + "\" is " + shape_text(alphas) +
                                           "; this space " +
                                           (declaration.per_cell ? "has a table for each cell" : "has one table"));
    return alphas;
  }
  throw Error(ErrorCode::bad_data, where + " lacks \"" + declaration.name + "\", which this space has");
}

/// The deriver of a rule with --threshold, which rules without one ignore, over the run's own options.
Part<Deriver> make_deriver(const PluginRegistry& plugins, const po::variables_map& values,
                           PartChoices parts, const ComponentOptions& options) {
  PartChoice& deriver = parts.at(std::string(Deriver::slot.name));
  if (const std::string rule = text(values, "rule", deriver.part); rule != deriver.part)
    deriver = with_options(plugins, Deriver::slot, {rule}, options);
  if (values.count("threshold") != 0) deriver.options["threshold"] = text(values, "threshold");
  return make_part<Deriver>(plugins, parts);
}

/// The alpha sets of a supernet; none where the space refuses its size, for which `refusal` then has the reason.
std::optional<std::vector<AlphaSet>> sets_of(const SearchSpace& space, const SpaceConfig& config, std::string& refusal) {
  try {
    return space.search(config).alphas;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::usage) throw;
    refusal = error.what();
    return std::nullopt;
  }
}

/// The declarations of `space` with as many nodes and cells as the tables have rows for. A space need not have cells of
/// every number of nodes.
AlphaCase match(const std::vector<RawAlphas>& raw, const SearchSpace& space, SpaceConfig config,
                const std::string& where) {
  for (const RawAlphas& table : raw)
    if (table.cells > 0) config.layers = static_cast<std::int64_t>(table.cells);
  std::string refusal;
  bool described = false;
  for (config.nodes = 1; config.nodes <= kMostNodes; ++config.nodes) {
    const auto sets = sets_of(space, config, refusal);
    if (!sets) continue;
    described = true;
    AlphaCase result{*sets, {}};
    bool fits = true;
    for (AlphaSet& declaration : result.declarations) {
      declaration.reductions.reset();
      result.alphas.push_back(alphas_of(declaration, raw, where));
      fits = fits && result.alphas.back().size(-2) == static_cast<std::int64_t>(declaration.topology.edges.size());
    }
    if (fits) return result;
  }
  if (!described) throw Error(ErrorCode::usage, where + ": " + refusal);
  throw Error(ErrorCode::bad_data,
              where + ": no number of nodes gives a cell with as many edges as the alphas have rows");
}

/// The relaxation works in float32, where a larger number would become infinite and any genotype would do.
void require_float32(const std::vector<RawAlphas>& tables, const std::string& where) {
  for (const RawAlphas& table : tables)
    for (const double value : table.values)
      if (!std::isfinite(static_cast<float>(value)))
        throw Error(ErrorCode::bad_data, where + ": \"" + table.name + "\" holds " + shortest(value) +
                                             "; expected numbers that are finite in float32, up to 3.4e38");
}

/// Takes alphas as they are, for those that were printed relaxed.
class Unrelaxed final : public Relaxation {
 public:
  Relaxed relax(const at::Tensor& alphas, const RelaxationContext&) const override { return {alphas}; }
};

/// Whether every row is a distribution: what softmax prints, of a few digits each.
bool look_relaxed(const std::vector<RawAlphas>& tables) {
  constexpr double kDigits = 1e-3;
  for (const RawAlphas& table : tables)
    for (std::size_t row = 0; row + table.operations <= table.values.size(); row += table.operations) {
      double sum = 0;
      for (std::size_t i = 0; i < table.operations; ++i) {
        const double value = table.values[row + i];
        if (value < 0 || value > 1) return false;
        sum += value;
      }
      if (std::abs(sum - 1) > kDigits * static_cast<double>(table.operations)) return false;
    }
  return true;
}

bool is_unrelaxed(const po::variables_map& values) {
  if (values.count("relaxation") == 0) return false;
  if (text(values, "relaxation") != "none")
    throw Error(ErrorCode::usage, "--relaxation: expected none, found '" + excerpt(text(values, "relaxation")) +
                                      "'; that of --strategy is applied where it is left out");
  return true;
}

enum class Form { json, python, mmrazor };

Form form_of(const po::variables_map& values) {
  const std::string form = text(values, "form");
  for (const auto& [name, own] : {std::pair("json", Form::json), std::pair("python", Form::python), std::pair("mmrazor", Form::mmrazor)})
    if (form == name) return own;
  throw Error(ErrorCode::usage, "--form: expected json, python or mmrazor, found '" + excerpt(form) + "'");
}

/// As published code writes it: in the space's own text where it has one.
std::string published_text(const Genotype& genotype, const SearchSpace* space) {
  check_writable(genotype);  // names that close a quote, in any text
  const std::optional<std::string> own = space != nullptr ? space->print_text(genotype) : std::nullopt;
  return own ? *own : genotype_to_python(genotype);
}

/// Prints the genotypes, one or a list of them, in the form that is asked for. `space` is theirs, null where that is not
/// known.
int print(const std::vector<Genotype>& genotypes, bool is_list, const po::variables_map& values,
          const SearchSpace* space) {
  const Form form = form_of(values);
  JsonWriter list;
  list.begin_list();
  for (const Genotype& genotype : genotypes) {
    if (form == Form::json)
      list.raw(genotype_to_json(genotype));
    else if (form == Form::python)
      std::cout << published_text(genotype, space) << std::endl;
    else
      std::cout << (is_list ? "---\n" : "") << genotype_to_subnet(genotype) << std::flush;
  }
  if (form == Form::json) std::cout << (is_list ? list.end().text() : genotype_to_json(genotypes.front())) << std::endl;
  return 0;
}

std::vector<std::string> alpha_names(const SearchSpace& space, const SpaceConfig& config) {
  std::vector<std::string> names;
  for (const AlphaSet& set : space.search(config).alphas) names.push_back(set.name);
  return names;
}

int derive_alphas(const po::variables_map& values, const PluginRegistry& plugins) {
  if (values.count("space") == 0)
    throw Error(ErrorCode::usage, "--alphas needs --space, for instance --space darts_cnn");
  if (values.count("epoch") != 0) throw Error(ErrorCode::usage, "--epoch is for a run's archive, not for --alphas");
  const std::string name = text(values, "space");
  const auto space = make_part<SearchSpace>(plugins, name, {});
  const PartChoices parts = parts_of(plugins, {text(values, "strategy", space->defaults().strategy), {}});
  const auto own_relaxation = make_part<Relaxation>(plugins, parts);
  const Unrelaxed unrelaxed;
  const bool as_it_is = is_unrelaxed(values);
  const Relaxation& relaxation = as_it_is ? static_cast<const Relaxation&>(unrelaxed) : *own_relaxation;
  const auto deriver = make_deriver(plugins, values, parts, {});
  SpaceConfig sizes = alphas_config(default_config(RunKind::search, name, option_catalog(plugins)).space, *space);
  if (values.count("ops") != 0) sizes.operations = split(text(values, "ops"), ',');

  const std::string file = text(values, "alphas");
  const AlphasFile read = read_alphas_file(file, alpha_names(*space, sizes));
  std::vector<Genotype> answers;
  for (std::size_t i = 0; i < read.cases.size(); ++i) {
    const std::string where = file + (read.is_list ? ", case " + std::to_string(i) : "");
    require_float32(read.cases[i], where);
    if (!as_it_is && look_relaxed(read.cases[i]))
      say(where +
          ": every row sums to 1, as softmax prints alphas; they are relaxed here once more, which changes what "
          "rules compare: --relaxation none takes them as they are");
    const AlphaCase raw = match(read.cases[i], *space, sizes, where);
    answers.push_back(derive(raw, relaxation, *deriver, {}).genotype);
  }
  return print(answers, read.is_list, values, space.get());
}

/// A trained network has no alphas, but the genotype that it was made from.
int derive_network(const Archive& archive, const po::variables_map& values, const PluginRegistry& plugins) {
  for (const char* option : {"epoch", "rule", "strategy", "threshold", "relaxation"})
    if (values.count(option) != 0)
      throw Error(ErrorCode::usage, std::string("--") + option + " is for a search; " + archive.name() +
                                        " is a trained network, which has one genotype and no alphas");
  const Config config = archived_network_config(archive, option_catalog(plugins));
  const auto space = make_part<SearchSpace>(plugins, config.space.name, options_of(config));
  return print({archived_genotype(archive)}, false, values, space.get());
}

int derive_run(const std::string& file, const po::variables_map& values, const PluginRegistry& plugins) {
  for (const char* option : {"space", "ops", "relaxation"})
    if (values.count(option) != 0)
      throw Error(ErrorCode::usage, std::string("--") + option + " belongs to --alphas FILE; the run in " + file +
                                        " has its own, so leave it out");
  Archive archive = Archive::open(file);
  if (stored::is_of_kind(archive, network_kind)) return derive_network(archive, values, plugins);
  const ArchivedRun run(std::move(archive), option_catalog(plugins));
  const ComponentOptions options = options_of(run.config());
  const auto space = make_part<SearchSpace>(plugins, run.config().space.name, options);
  const std::int64_t epoch = values.count("epoch") != 0 ? values["epoch"].as<std::int64_t>() : run.epochs();
  const PartChoices parts =
      values.count("strategy") != 0 ? parts_of(plugins, {text(values, "strategy"), {}}, options) : run.parts(epoch);
  const auto relaxation = make_part<Relaxation>(plugins, parts);
  const auto deriver = make_deriver(plugins, values, parts, options);
  const AlphaCase alphas = run.alphas(epoch, *space, rule_of(*make_part<EdgeRule>(plugins, run.parts(epoch))));
  for (const std::string& note : unsearched_alphas(run, epoch, alphas)) say(note);
  return print({derive(alphas, *relaxation, *deriver, run.position(epoch)).genotype}, false, values, space.get());
}

/// A genotype that has been derived already.
int derive_named(const std::string& argument, const po::variables_map& values, const PluginRegistry& plugins) {
  for (const char* option : {"epoch", "rule", "strategy", "threshold", "ops", "relaxation"})
    if (values.count(option) != 0)
      throw Error(ErrorCode::usage, std::string("--") + option + " is for a search's archive or --alphas; " + argument +
                                        " is a genotype");
  const GenotypeArgument genotype = named_genotype(argument, values, plugins);
  const auto space = genotype.space.empty() ? Part<SearchSpace>() : make_part<SearchSpace>(plugins, genotype.space, {});
  return print({genotype.genotype}, false, values, space.get());
}

}  // namespace

int derive_command(const std::vector<std::string>& arguments) {
  const auto values = parse(derive_syntax(), arguments);
  if (!values) return 0;
  const Arguments given = positionals(*values);
  if (given.empty() == (values->count("alphas") == 0))
    throw Error(ErrorCode::usage,
                "either a run's archive, a genotype or --alphas FILE is expected\nUsage: " + derive_syntax().usage);
  (void)form_of(*values);
  const PluginRegistry plugins = load_plugins(*values);
  if (given.empty()) return derive_alphas(*values, plugins);
  return is_archive_argument(given.front()) ? derive_run(given.front(), *values, plugins)
                                            : derive_named(given.front(), *values, plugins);
}

}  // namespace mixop::cli
