#include "host/cli/all_commands.hpp"

#include <ATen/Parallel.h>
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
#include "host/search/run_check.hpp"

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

/// The config to run. A resumed run has the archive's own, which the command line must not contradict; only --data may
/// name another folder, for data that moved.
Config config_of(const po::variables_map& values, const OptionCatalog& catalog, const Archive* archive) {
  const ConfigRequest request = request_of(values);
  if (archive == nullptr) return resolve_config(request, catalog);
  Config archived = archived_config(*archive, catalog);
  const bool moved = values.count("data") != 0;
  Config asked = resolve_config(request, catalog);
  if (moved) archived.data.dir = asked.data.dir;
  if (request.preset_or_file.empty() && request.sets.size() == (moved ? 1 : 0)) return archived;
  asked.data.dir = archived.data.dir;
  if (!(asked == archived))
    throw Error(ErrorCode::usage,
                "--resume goes on with the archive's own configuration, and the command line means "
                "another; leave preset and --set out, or start a new run");
  return archived;
}

void require_same_data(const std::string& digest, const Archive& archive, const std::filesystem::path& out) {
  const auto archived = archive.text("/provenance", "dataset_digest");
  if (digest != archived)
    throw Error(ErrorCode::bad_data,
                out.string() + " was searched on data of digest " + archived + ", and the data at hand has " + digest +
                    "; name the folder of the same files by --data DIR (a digest covers the files, so "
                    "another layout of the same images has another one)");
}

void report(const SearchHistory& history, const SearchPosition& at, SearchEnd end, const std::filesystem::path& out,
            bool json) {
  if (json) {
    JsonWriter writer;
    writer.begin_object().member("archive", out.string()).member("epoch", at.epoch).member("step", at.step);
    writer.member("interrupted", end == SearchEnd::interrupted).member("stop_reason", history.stop_reason);
    for (const auto& [name, values] : history.metrics)
      if (!values.empty()) writer.member(name, values.back());
    writer.key("genotype").raw(genotype_to_json(history.genotypes.back())).end();
    std::cout << writer.text() << std::endl;
  } else if (end != SearchEnd::interrupted) {
    std::cout << genotype_to_json(history.genotypes.back()) << std::endl;
  }
  if (end == SearchEnd::stopped) say("stopped by the strategy: " + history.stop_reason);
  say((end == SearchEnd::interrupted ? "interrupted; go on with: mixop search --resume --out " : "archive: ") +
      out.string());
}

/// Prints the configuration; the memory that it needs is predicted where the data is at hand.
int dry_run(const po::variables_map& values, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  const Config config = config_of(values, catalog, nullptr);
  const ComponentOptions options = options_of(config);
  std::optional<DatasetHandle> data;
  try {
    data.emplace(open_data(config, plugins, options));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::plugin) throw;
    (void)plugins.dataset(config.data.name);
    (void)plugins.strategy(config.search.strategy);
    std::cout << to_json(config) << std::endl;
    say("the memory cannot be predicted without the data: " + std::string(error.what()));
    return 0;
  }
  Search search(config, plugins, options, *data);
  const std::int64_t bytes = predict_peak_memory(search);
  std::cout << to_json(config) << std::endl;
  say("predicted peak memory: about " + std::to_string(bytes >> 20) +
      " MiB; runs were seen to take up to a third more");
  return 0;
}

ConfigTexts texts_of(const ConfigRequest& request, const Config& config, const Archive* resumed) {
  if (resumed != nullptr) return {resumed->text("/config/verbatim"), resumed->texts("/config/sets"), to_json(config)};
  const std::filesystem::path source = config_source(request);
  return {source.empty() ? "" : read_json_text(source, ErrorCode::usage), request.sets, to_json(config)};
}

/// The command line, behind those of the run that it resumes, in ASCII: archives and JSON hold no bytes that are not
/// UTF-8.
std::string command_line_of(const Arguments& arguments, const Archive* resumed) {
  std::string line = resumed != nullptr ? resumed->text("/provenance/command_line") + "; " : "";
  line += "mixop search";
  for (const std::string& argument : arguments) {
    line += ' ';
    for (const char c : argument) line += c >= ' ' && c <= '~' ? c : '?';
  }
  return line;
}

/// One line on what is searched, where and on what.
void announce(Search& search, const DatasetHandle& data) {
  const Config& config = search.config();
  say("searching " + config.space.name + " (" + std::to_string(config.space.channels) + " channels, " +
      std::to_string(config.space.layers) + " cells) by " + config.search.strategy + " on " + data.name() + ", " +
      std::to_string(search.batches().steps_per_epoch()) + " steps an epoch, " + device_of(config.device).str() + ", " +
      std::to_string(at::get_num_threads()) + " thread(s)");
}

int run_search(const po::variables_map& values, const Arguments& arguments, const PluginRegistry& plugins,
               const OptionCatalog& catalog) {
  const std::filesystem::path out = text(values, "out", "run.h5");
  const bool resume = values.count("resume") != 0;
  if (!resume) (void)config_of(values, catalog, nullptr);  // a mistake in it comes before what is said of the output
  check_output(out, resume, values.count("overwrite") != 0);
  const ArchiveLock lock(out);
  std::optional<Archive> archive;
  if (resume) archive.emplace(Archive::open(out));
  const Archive* const resumed = archive ? &*archive : nullptr;

  const Config config = config_of(values, catalog, resumed);
  const ComponentOptions options = options_of(config);
  const DatasetHandle data = open_data(config, plugins, options);
  const std::string digest = dataset_digest(data);
  if (resumed != nullptr) require_same_data(digest, *resumed, out);
  Search search(config, plugins, options, data);
  if (resumed != nullptr) restore(search, *resumed);

  Recorder recorder(
      search, out, texts_of(request_of(values), config, resumed),
      {command_line_of(arguments, resumed), now_utc(), device_of(config.device).str(), digest, plugin_lines(plugins)});
  announce(search, data);
  const InterruptGuard interrupt;
  const SearchEnd end = search.run(recorder, interrupt.received());
  report(search.history(), search.position(), end, out, values.count("json") != 0);
  return end == SearchEnd::interrupted ? 128 + interrupt.received() : 0;
}

}  // namespace

int search_command(const Arguments& arguments) {
  const auto values = parse(search_syntax(), arguments);
  if (!values) return 0;
  const PluginRegistry plugins = load_plugins(*values);
  const OptionCatalog catalog = option_catalog(plugins);
  if (values->count("keys") != 0) {
    if (values->count("json") != 0)
      throw Error(ErrorCode::usage, "--keys lists the keys as text alone; leave --json out");
    std::cout << describe_keys(catalog);
    return 0;
  }
  return values->count("dry-run") != 0 ? dry_run(*values, plugins, catalog)
                                       : run_search(*values, arguments, plugins, catalog);
}

}  // namespace mixop::cli
