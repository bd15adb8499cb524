#include "host/cli/all_commands.hpp"

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <optional>

#include "host/archive/file.hpp"
#include "host/cli/command_line.hpp"
#include "host/cli/interrupt.hpp"
#include "host/cli/progress.hpp"
#include "host/cli/run_setup.hpp"
#include "host/config/resolve.hpp"
#include "host/data/digest.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json_writer.hpp"
#include "host/search/memory.hpp"
#include "host/search/run_archive.hpp"

namespace mixop::cli {
namespace {

CommandSyntax search_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop search PRESET|config.json [--strategy S] [--set key=value ...] [--data DIR] [--out RUN.h5]";
  syntax.about =
      "Searches an architecture: trains a supernet's weights and alphas together and archives the run after every "
      "epoch.\n"
      "The configuration is defaults < preset < file < --set; --dry-run prints it. mixop list presets names the "
      "presets.";
  syntax.options.add_options()("set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"),
                               "sets a key; lists also take =+a,b (append) and =-a (remove)")(
      "strategy", po::value<std::string>(), "short for --set search.strategy=S")("seed", po::value<std::string>(),
                                                                                 "short for --set seed=N")(
      "data", po::value<std::string>()->value_name("DIR"),
      "where the data lies; default: the environment's MIXOP_DATA")(
      "out", po::value<std::string>()->value_name("RUN.h5"), "the archive to write; default: run.h5")(
      "resume", "goes on where RUN.h5 stopped, to the same bits as a run that never stopped")(
      "overwrite", "replaces an existing RUN.h5")(
      "dry-run", "prints the resolved configuration and the predicted memory")("keys", "lists all configuration keys")(
      "json", "prints the result as JSON");
  syntax.positionals = 64;
  add_plugin_options(syntax);
  return syntax;
}

/// What the command line says of the configuration.
ConfigRequest request_of(const po::variables_map& values) {
  ConfigRequest request;
  request.presets_folder = presets_folder();
  for (const std::string& argument : positionals(values)) {
    if (argument.find('=') != std::string::npos) continue;
    if (!request.preset_or_file.empty())
      throw Error(ErrorCode::usage, "one preset or config file is expected, found '" + request.preset_or_file +
                                        "' and '" + argument + "'");
    request.preset_or_file = argument;
  }
  if (values.count("set") != 0) request.sets = values["set"].as<Arguments>();
  for (const std::string& argument : positionals(values))
    if (argument.find('=') != std::string::npos) request.sets.push_back(argument);
  const std::pair<const char*, const char*> short_forms[] = {
      {"strategy", "search.strategy"}, {"seed", "seed"}, {"data", "data.dir"}};
  for (const auto& [option, key] : short_forms)
    if (values.count(option) != 0) request.sets.push_back(std::string(key) + "=" + text(values, option));
  return request;
}

/// Writes checkpoints and tells the terminal.
class Recorder final : public SearchObserver {
 public:
  Recorder(Search& search, std::filesystem::path out, ConfigTexts config, Provenance provenance)
      : search_(search),
        out_(std::move(out)),
        config_(std::move(config)),
        provenance_(std::move(provenance)),
        progress_(isatty(STDERR_FILENO) != 0) {}

  void on_step(const SearchPosition& at, std::int64_t step, std::int64_t steps, double loss,
               const EpochSums& sums) override {
    progress_.step(at, step, steps, loss, sums);
  }
  void on_epoch(const SearchPosition& at, const std::map<std::string, double>& metrics, const Genotype&) override {
    progress_.epoch(at, metrics);
  }
  void checkpoint() override { archive_of(search_, config_, provenance_).save(out_); }

 private:
  Search& search_;
  std::filesystem::path out_;
  ConfigTexts config_;
  Provenance provenance_;
  Progress progress_;
};

/// The config to run: the archive's own when it is resumed, which the command line must not contradict.
Config config_of(const ConfigRequest& request, const OptionCatalog& catalog, const Archive* archive) {
  if (archive == nullptr) return resolve_config(request, catalog);
  const Config archived = config_from_json(archive->text("/config/resolved"), "/config/resolved", catalog);
  if (request.preset_or_file.empty() && request.sets.empty()) return archived;
  const Config asked = resolve_config(request, catalog);
  if (!(asked == archived))
    throw Error(ErrorCode::usage,
                "--resume goes on with the archive's own configuration, and the command line means "
                "another; leave preset and --set out, or start a new run");
  return archived;
}

int report(Search& search, SearchEnd end, const std::filesystem::path& out, bool json) {
  const Genotype& genotype = search.history().genotypes.back();
  if (json) {
    JsonWriter writer;
    writer.begin_object().member("archive", out.string()).member("epoch", search.position().epoch);
    writer.member("step", search.position().step).member("interrupted", end == SearchEnd::interrupted);
    for (const auto& [name, values] : search.history().metrics)
      if (!values.empty()) writer.member(name, values.back());
    writer.key("genotype").raw(genotype_to_json(genotype)).end();
    std::cout << writer.text() << std::endl;
  } else if (end != SearchEnd::interrupted) {
    std::cout << genotype_to_json(genotype) << std::endl;
  }
  return 0;
}

int predict(Search& search) {
  say("predicted peak memory: " + std::to_string(predict_peak_memory(search) >> 20) + " MiB");
  return 0;
}

int run_search(const po::variables_map& values) {
  const PluginRegistry plugins = load_plugins(values);
  const OptionCatalog catalog = option_catalog(plugins);
  if (values.count("keys") != 0) {
    std::cout << describe_keys(catalog);
    return 0;
  }
  const ConfigRequest request = request_of(values);
  const std::filesystem::path out = text(values, "out", "run.h5");
  const bool dry_run = values.count("dry-run") != 0;
  std::optional<ArchiveLock> lock;
  std::optional<Archive> archive;
  if (!dry_run) {
    check_output(out, values.count("resume") != 0, values.count("overwrite") != 0);
    lock.emplace(out);
    if (values.count("resume") != 0) archive.emplace(Archive::open(out));
  }
  const Config config = config_of(request, catalog, archive ? &*archive : nullptr);
  const ComponentOptions options = options_of(config);
  if (dry_run) std::cout << to_json(config) << std::endl;

  const DatasetHandle data = open_data(config, plugins, options);
  Search search(config, plugins, options, data);
  if (dry_run) return predict(search);
  ConfigTexts texts{"", request.sets, to_json(config)};
  if (const auto source = config_source(request); !source.empty())
    texts.verbatim = read_json_text(source, ErrorCode::usage);
  if (archive) {
    restore(search, *archive);
    texts.verbatim = archive->text("/config/verbatim");
    texts.sets = archive->texts("/config/sets");
  }
  std::string command_line = "mixop search";
  for (const std::string& argument : values["arguments"].as<Arguments>()) command_line += " " + argument;
  Recorder recorder(
      search, out, texts,
      {command_line, now_utc(), device_of(config.device).str(), dataset_digest(data), plugin_lines(plugins)});
  const InterruptGuard interrupt;
  const SearchEnd end = search.run(recorder, interrupt.received());
  report(search, end, out, values.count("json") != 0);
  say((end == SearchEnd::interrupted ? "interrupted; go on with --resume: " : "archive: ") + out.string());
  return end == SearchEnd::interrupted ? 128 + interrupt.received() : 0;
}

}  // namespace

int search_command(const std::vector<std::string>& arguments) {
  const auto parsed = parse(search_syntax(), arguments);
  if (!parsed) return 0;
  po::variables_map values = *parsed;
  values.insert({"arguments", po::variable_value(arguments, false)});
  return run_search(values);
}

}  // namespace mixop::cli
