#include "host/cli/run_setup.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>

#include "host/cli/metrics_options.hpp"
#include "host/config/layers.hpp"
#include "host/config/meaning.hpp"
#include "host/data/digest.hpp"
#include "host/loop/device.hpp"
#include "host/search/baseline.hpp"
#include "host/search/search.hpp"
#include "host/text/text.hpp"

namespace mixop::cli {
namespace {

/// The time as ISO 8601.
std::string now_utc() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char text[32];
  std::tm broken{};
  gmtime_r(&now, &broken);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &broken);
  return text;
}

/// "id version sha256" of every loaded plugin.
std::vector<std::string> plugin_lines(const PluginRegistry& plugins) {
  std::vector<std::string> lines;
  for (const auto& plugin : plugins.plugins())
    lines.push_back(plugin->id + " " + plugin->version + " " + plugin->file.sha256);
  return lines;
}

/// What the command line says of the configuration.
ConfigRequest request_of(const po::variables_map& values, const RunCommand& command) {
  ConfigRequest request;
  request.defaults = command.defaults;
  request.presets_folder = presets_folder();
  request.kind = command.kind;
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

ConfigTexts texts_of(const ConfigRequest& request, const Config& config, const Archive* resumed) {
  if (resumed != nullptr) {
    ConfigTexts texts{resumed->text("/config/verbatim"), resumed->texts("/config/sets"), to_json(config)};
    if (to_json(config) != resumed->text(stored::resolved_config))
      texts.sets.insert(texts.sets.end(), request.sets.begin(), request.sets.end());
    return texts;
  }
  const std::filesystem::path source = config_source(request);
  return {source.empty() ? "" : read_json_text(source, ErrorCode::usage), request.sets, to_json(config)};
}

/// The command line, behind those of the run that it resumes, in ASCII: archives and JSON hold no bytes that are not
/// UTF-8.
std::string command_line_of(const Arguments& arguments, RunKind kind, const Archive* resumed) {
  std::string line = resumed != nullptr ? resumed->text("/provenance/command_line") + "; " : "";
  line += std::string("mixop ") + run_kind_name(kind);
  for (const std::string& argument : arguments) {
    line += ' ';
    for (const char c : argument) line += c >= ' ' && c <= '~' ? c : '?';
  }
  return line;
}

/// The folder of the data, empty where none is given.
std::string data_folder(const Config& config) {
  const char* environment = std::getenv("MIXOP_DATA");
  return !config.data.dir.empty() ? config.data.dir : environment != nullptr ? environment : "";
}

DatasetHandle open_data_in(const std::string& folder, const Config& config, const PluginRegistry& plugins,
                           const ComponentOptions& options) {
  const auto own = options.find(config.data.name);
  return DatasetHandle(config.data.name, plugins.dataset(config.data.name), folder,
                       own == options.end() ? std::map<std::string, std::string>{} : own->second);
}

/// Whether nothing but the data is missing where open_data() failed: in a folder without it its options must be right.
bool is_data_missing(ErrorCode failure, const Config& config, const PluginRegistry& plugins,
                     const ComponentOptions& options) {
  if (failure != ErrorCode::usage || !data_folder(config).empty()) return failure == ErrorCode::bad_data;
  try {
    (void)open_data_in("/dev/null", config, plugins, options);
  } catch (const Error& error) {
    return error.code() == ErrorCode::bad_data;
  }
  return false;
}

/// The run's data; to it and to the run every --set must mean something.
DatasetHandle data_of(const ConfigRequest& request, const Config& config, const PluginRegistry& plugins,
                      const ComponentOptions& options) {
  DatasetHandle data = open_data(config, plugins, options);
  check_meaning(request.sets, request.kind, data.info().kind);
  return data;
}

/// The data's digest; that of a resumed run's archive must be the same.
std::string checked_digest(const DatasetHandle& data, const Archive* resumed) {
  const std::string digest = dataset_digest(data);
  const std::string archived = resumed != nullptr ? resumed->text("/provenance", "dataset_digest") : digest;
  if (digest != archived)
    throw Error(ErrorCode::bad_data,
                resumed->name() + " was made on data of digest " + archived + ", and the data at hand has " + digest +
                    "; name the folder of the same files by --data DIR (a digest covers the files, so "
                    "another layout of the same images has another one)");
  return digest;
}

/// Whether a training may go on with another value of a key: what the network is and what it learns from stays.
bool may_change(const std::string& key) {
  for (const char* free : {"train.epochs", "train.nonmono", "train.rollbacks", "data.dir", "device", "threads"})
    if (key == free) return true;
  return key.rfind("weights.", 0) == 0;
}

/// A finished training's config with more epochs, and what else the command line changes.
Config continued_config(const ConfigRequest& request, const Config& archived, const Archive& archive,
                        const OptionCatalog& catalog) {
  const auto refuse = [](const std::string& problem) { throw Error(ErrorCode::usage, "--continue: " + problem); };
  if (!request.preset_or_file.empty())
    refuse("goes on with the archive's own configuration, found '" + request.preset_or_file + "'; leave it out");
  const std::int64_t done = archive.integer("/position", "epoch");
  if (done < archived.train.epochs)
    refuse(archive.name() + " has " + std::to_string(done) + " of its " + std::to_string(archived.train.epochs) +
           " epochs; finish it by --resume");
  ConfigLayers layers(catalog, archived.kind);
  layers.add_object(parse_json(to_json(archived), "the archive's config", ErrorCode::bad_data), "the archive's config");
  for (const std::string& assignment : request.sets) {
    const std::string key(trimmed(std::string_view(assignment).substr(0, assignment.find('='))));
    if (!may_change(key))
      refuse("--set " + assignment + ": expected train.epochs, train.nonmono, train.rollbacks, weights.*, device or " +
             "threads; what the network is and what it is trained on stays, so leave it out");
    layers.add_set(assignment);
  }
  Config config = layers.config();
  if (config.train.epochs <= done)
    refuse("expected --set train.epochs=N above the " + std::to_string(done) + " epochs that " + archive.name() +
           " has, found " + std::to_string(config.train.epochs));
  if (config.train.rollbacks > 0 && config.train.keep != "best")
    refuse("train.rollbacks: expected 0, for the archive's train.keep is " + config.train.keep +
           " and a training rolls back to its best network");
  if (config.train.nonmono > 0 && !archive.has("/metrics/valid_loss"))
    refuse("train.nonmono: expected 0, for no records are held out in " + archive.name());
  return config;
}

}  // namespace

bool goes_on(const po::variables_map& values) { return values.count("resume") != 0 || values.count("continue") != 0; }

ComponentOptions options_of(const Config& config) {
  ComponentOptions options;
  for (const auto& [component, own] : config.options)
    for (const auto& [name, option] : own) options[component][name] = option.text;
  return options;
}

DatasetHandle open_data(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options) {
  return open_data_in(data_folder(config), config, plugins, options);
}

void check_output(const std::filesystem::path& out, bool resume, bool overwrite) {
  const auto refuse = [&](const std::string& problem) { throw Error(ErrorCode::usage, out.string() + problem); };
  const auto status = std::filesystem::symlink_status(out);
  const bool exists = std::filesystem::exists(status);
  if (exists && !std::filesystem::is_regular_file(status))
    refuse(std::filesystem::is_directory(status)
               ? " cannot be written: it is a folder; name a file in it"
               : " is a link or a device; name a regular file, which can be replaced whole");
  if (exists && !resume && !overwrite)
    refuse(" exists; go on with it by --resume, replace it by --overwrite, or name another --out");
  if (!exists && resume) refuse(" does not exist, so there is nothing to go on with; leave --resume or --continue out");
  const std::filesystem::path folder = out.has_parent_path() ? out.parent_path() : ".";
  if (!std::filesystem::is_directory(folder))
    refuse(": the folder " + folder.string() + " does not exist; make it first");
  if (access(folder.c_str(), W_OK | X_OK) != 0) refuse(" cannot be written: no write permission in " + folder.string());
}

void add_run_options(CommandSyntax& syntax, const RunCommand& command) {
  const std::string archive = command.archive;
  const auto option = [&](const char* name, const std::string& help) {
    syntax.options.add_options()(name, help.c_str());
  };
  const auto text_option = [&](const char* name, const char* value, const std::string& help) {
    syntax.options.add_options()(name, po::value<std::string>()->value_name(value), help.c_str());
  };
  syntax.options.add_options()("set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"),
                               "sets a key; lists also take =+a,b (append) and =-a (remove)");
  text_option("seed", "N", "short for --set seed=N");
  text_option("data", "DIR", "where the data lies; default: the environment's MIXOP_DATA");
  text_option("out", command.archive, std::string("the archive to write; default: ") + command.out);
  option("resume", "goes on where " + archive + " stopped, to the same bits as a run that never stopped");
  option("overwrite", "replaces an existing " + archive);
  option("dry-run", "prints the resolved configuration and the predicted memory");
  option("keys", "lists all configuration keys");
  option("json", "prints the result as JSON");
  syntax.positionals = 64;
  add_metrics_options(syntax);
  add_plugin_options(syntax);
}

bool print_keys(const po::variables_map& values, const OptionCatalog& catalog, RunKind kind) {
  if (values.count("keys") == 0) return false;
  if (values.count("json") != 0) throw Error(ErrorCode::usage, "--keys lists the keys as text alone; leave --json out");
  std::cout << describe_keys(catalog, kind);
  return true;
}

Config config_of(const po::variables_map& values, const OptionCatalog& catalog, const RunCommand& command,
                 const Archive* archive) {
  const ConfigRequest request = request_of(values, command);
  const auto resolved = [&] {
    Config config = resolve_config(request, catalog);
    config.space.baseline = baseline_text(config.space.baseline);
    return config;
  };
  if (archive == nullptr) return resolved();
  Config archived = command.archived_config(*archive, catalog);
  if (values.count("continue") != 0) return continued_config(request, archived, *archive, catalog);
  const bool moved = values.count("data") != 0;
  Config asked = resolved();
  if (moved) archived.data.dir = asked.data.dir;
  if (request.preset_or_file.empty() && request.sets.size() == (moved ? 1 : 0)) return archived;
  asked.data.dir = archived.data.dir;
  if (!(asked == archived))
    throw Error(ErrorCode::usage,
                "--resume goes on with the archive's own configuration, and the command line means "
                "another; leave preset and --set out, or start a new run");
  return archived;
}

RunInputs::RunInputs(const po::variables_map& values, const PluginRegistry& plugins, const OptionCatalog& catalog,
                     const RunCommand& command)
    : config(config_of(values, catalog, command, nullptr)),
      data(data_of(request_of(values, command), config, plugins, cli::options_of(config))) {}

DryRun::DryRun(const po::variables_map& values, const PluginRegistry& plugins, const OptionCatalog& catalog,
               const RunCommand& command)
    : archive(goes_on(values) ? std::optional(Archive::open(text(values, "out", command.out))) : std::nullopt),
      config(config_of(values, catalog, command, archive ? &*archive : nullptr)),
      options(cli::options_of(config)) {
  try {
    data.emplace(data_of(request_of(values, command), config, plugins, options));
  } catch (const Error& error) {
    if (!is_data_missing(error.code(), config, plugins, options)) throw;
    say("the memory cannot be predicted without the data: " + std::string(error.what()));
  }
}

void say_memory(std::int64_t bytes, const std::string& left_out) {
  say("predicted peak memory: about " + std::to_string(bytes >> 20) +
      " MiB resident; runs were seen to take up to a tenth more or less. Not in it: " + left_out +
      "a GPU's own memory");
}

RunSetup::RunSetup(const po::variables_map& values, const Arguments& arguments, const PluginRegistry& plugins,
                   const OptionCatalog& catalog, const RunCommand& command)
    : out_(text(values, "out", command.out)),
      resumed_([&]() -> std::optional<Archive> {
        const bool resume = goes_on(values);
        if (values.count("resume") + values.count("continue") + values.count("overwrite") > 1)
          throw Error(ErrorCode::usage, "--resume, --continue and --overwrite exclude each other; give one of them");
        // A mistake in the configuration comes before what is said of the output.
        if (!resume) (void)config_of(values, catalog, command, nullptr);
        check_output(out_, resume, values.count("overwrite") != 0);
        lock_.emplace(out_);
        if (!resume) return std::nullopt;
        return Archive::open(out_);
      }()),
      config_(config_of(values, catalog, command, resumed())),
      options_(options_of(config_)),
      data_(data_of(request_of(values, command), config_, plugins, options_)),
      texts_(texts_of(request_of(values, command), config_, resumed())),
      provenance_{command_line_of(arguments, command.kind, resumed()), now_utc(), device_of(config_.device).str(),
                  checked_digest(data_, resumed()), plugin_lines(plugins)} {}

}  // namespace mixop::cli
