#include "host/session/run_setup.hpp"

#include <algorithm>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <set>

#include "host/config/layers.hpp"
#include "host/config/meaning.hpp"
#include "host/config/resolve.hpp"
#include "host/data/digest.hpp"
#include "host/loop/device.hpp"
#include "host/search/baseline.hpp"
#include "host/search/search.hpp"
#include "host/text/text.hpp"

namespace mixop {
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
constexpr char kPlugins[] = "/provenance/plugins";

std::string id_of(const std::string& plugin_line) { return plugin_line.substr(0, plugin_line.find(' ')); }

/// Those that are loaded, then those of the archive that are other files or not loaded: both had their part in the run.
std::vector<std::string> plugin_lines(const PluginRegistry& plugins, const Archive* resumed) {
  std::vector<std::string> lines;
  for (const auto& plugin : plugins.plugins())
    lines.push_back(plugin->id + " " + plugin->version + " " + plugin->file.sha256);
  if (resumed == nullptr) return lines;
  const std::vector<std::string> now = lines;
  for (const std::string& line : resumed->texts(kPlugins))
    if (std::find(now.begin(), now.end(), line) == now.end()) lines.push_back(line);
  return lines;
}

/// A line for every plugin of the archive that is another file now, or not loaded.
std::vector<std::string> changes_since(const Archive& resumed, const PluginRegistry& plugins) {
  const std::vector<std::string> now = plugin_lines(plugins, nullptr);
  std::vector<std::string> changes;
  for (const std::string& line : resumed.texts(kPlugins)) {
    if (std::find(now.begin(), now.end(), line) != now.end()) continue;
    const bool loaded = std::any_of(now.begin(), now.end(), [&](const std::string& own) { return id_of(own) == id_of(line); });
    changes.push_back("the plugin " + id_of(line) + (loaded ? " is another file than" : " is not loaded, and was") +
                      " when the archive was written; the same bits are not promised, and the archive keeps both digests");
  }
  return changes;
}

/// What the request says of the configuration.
ConfigRequest config_request(const RunRequest& request, const Application& application, const RunRules& rules) {
  ConfigRequest asked{request.preset_or_file, request.sets,   application.presets,
                      request.kind,           rules.defaults, request.config_text};
  if (request.data) asked.sets.push_back("data.dir=" + *request.data);
  return asked;
}

ConfigTexts texts_of(const ConfigRequest& request, const Config& config, const Archive* resumed) {
  if (resumed != nullptr) {
    ConfigTexts texts{resumed->text("/config/verbatim"), resumed->texts("/config/sets"), to_json(config)};
    if (to_json(config) != resumed->text(stored::resolved_config))
      texts.sets.insert(texts.sets.end(), request.sets.begin(), request.sets.end());
    return texts;
  }
  return {config_text(request), request.sets, to_json(config)};
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

/// The run's data; to it and to the run every assignment must mean something.
DatasetHandle data_of(const ConfigRequest& request, const Config& config, const Application& application,
                      const ComponentOptions& options) {
  DatasetHandle data = open_data(config, application.plugins, options);
  check_meaning(request.sets, request.kind, data.info().kind);
  return data;
}

/// What was asked for, behind what the run that it goes on with was asked for, in ASCII: archives and JSON hold no
/// bytes that are not UTF-8.
std::string command_line_of(const RunRequest& request, const Archive* resumed) {
  std::string line = resumed != nullptr ? resumed->text("/provenance/command_line") + "; " : "";
  for (const char c : request.command_line) line += c >= ' ' && c <= '~' ? c : '?';
  return line;
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

void check_output(const std::filesystem::path& out, bool goes_on, bool overwrite) {
  const auto refuse = [&](const std::string& problem) { throw Error(ErrorCode::usage, out.string() + problem); };
  const auto status = std::filesystem::symlink_status(out);
  const bool exists = std::filesystem::exists(status);
  if (exists && !std::filesystem::is_regular_file(status))
    refuse(std::filesystem::is_directory(status)
               ? " cannot be written: it is a folder; name a file in it"
               : " is a link or a device; name a regular file, which can be replaced whole");
  if (exists && !goes_on && !overwrite)
    refuse(" exists; go on with it by --resume, replace it by --overwrite, or name another --out");
  if (!exists && goes_on)
    refuse(" does not exist, so there is nothing to go on with; leave --resume or --continue out");
  const std::filesystem::path folder = out.has_parent_path() ? out.parent_path() : ".";
  if (!std::filesystem::is_directory(folder))
    refuse(": the folder " + folder.string() + " does not exist; make it first");
  if (access(folder.c_str(), W_OK | X_OK) != 0) refuse(" cannot be written: no write permission in " + folder.string());
}

Config config_of(const RunRequest& request, const Application& application, const RunRules& rules,
                 const Archive* archive) {
  const ConfigRequest asked_for = config_request(request, application, rules);
  const auto resolved = [&] {
    Config config = resolve_config(asked_for, application.catalog);
    config.space.baseline = baseline_text(config.space.baseline);
    return config;
  };
  if (archive == nullptr) return resolved();
  Config archived = rules.archived_config(*archive, application.catalog);
  if (request.start == Start::more) return continued_config(asked_for, archived, *archive, application.catalog);
  Config asked = resolved();
  if (request.data) archived.data.dir = asked.data.dir;
  if (request.preset_or_file.empty() && request.sets.empty()) return archived;
  asked.data.dir = archived.data.dir;
  if (!(asked == archived))
    throw Error(ErrorCode::usage,
                "--resume goes on with the archive's own configuration, and the command line means "
                "another; leave preset and --set out, or start a new run");
  return archived;
}

RunInputs::RunInputs(const RunRequest& request, const Application& application, const RunRules& rules)
    : config(config_of(request, application, rules, nullptr)),
      options(options_of(config)),
      data(data_of(config_request(request, application, rules), config, application, options)) {}

PlannedRun::PlannedRun(const RunRequest& request, const Application& application, const RunRules& rules)
    : archive(request.goes_on() ? std::optional(Archive::open(request.out)) : std::nullopt),
      config(config_of(request, application, rules, archive ? &*archive : nullptr)),
      options(options_of(config)) {
  try {
    data.emplace(data_of(config_request(request, application, rules), config, application, options));
  } catch (const Error& error) {
    if (!is_data_missing(error.code(), config, application.plugins, options)) throw;
    data_missing = error.what();
  }
}

RunSetup::RunSetup(const RunRequest& request, const Application& application, const RunRules& rules)
    : request_(request),
      resumed_([&]() -> std::optional<Archive> {
        // A mistake in the configuration comes before what is said of the output.
        if (!request.goes_on()) (void)config_of(request, application, rules, nullptr);
        check_output(request.out, request.goes_on(), request.start == Start::overwrite);
        lock_.emplace(request.out);
        if (!request.goes_on()) return std::nullopt;
        return Archive::open(request.out);
      }()),
      config_(config_of(request, application, rules, resumed())),
      options_(options_of(config_)),
      data_(data_of(config_request(request, application, rules), config_, application, options_)),
      texts_(texts_of(config_request(request, application, rules), config_, resumed())),
      provenance_{command_line_of(request, resumed()), now_utc(), device_of(config_.device).str(),
                  checked_digest(data_, resumed()), plugin_lines(application.plugins, resumed())},
      plugin_changes_(resumed_ ? changes_since(*resumed_, application.plugins) : std::vector<std::string>{}) {}

}  // namespace mixop
