#include "host/session/run_setup.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <set>

#include "host/archive/hdf5.hpp"
#include "host/archive/user_block.hpp"
#include "host/config/resolve.hpp"
#include "host/data/digest.hpp"
#include "host/files/output.hpp"
#include "host/loop/device.hpp"
#include "host/search/search.hpp"
#include "host/search/stored_check.hpp"
#include "host/session/archived_plugins.hpp"
#include "host/session/genotype_argument.hpp"
#include "host/session/going_on.hpp"
#include "host/task/meaning.hpp"
#include "host/text/sha256.hpp"
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
  check_meaning(request.sets, request.kind, task_of(data.info().kind));
  return data;
}

/// The data of a run that may go on with an archive, whose folder may have moved.
DatasetHandle data_at_hand(const RunRequest& request, const Config& config, const Application& application,
                           const RunRules& rules, const ComponentOptions& options, const Archive* resumed) {
  try {
    return data_of(config_request(request, application, rules), config, application, options);
  } catch (const Error& error) {
    const std::string& folder = config.data.dir;
    if (resumed == nullptr || request.data || folder.empty() || std::filesystem::exists(folder)) throw;
    throw Error(error.code(), std::string(error.what()) + "; " + resumed->name() + " was made with the data in " +
                                  folder + ", which is not there: name the folder where it lies now by --data DIR");
  }
}

/// Any text with what archives and JSON do not hold as '?': control characters, and bytes that are not UTF-8.
std::string storable(const std::string& text) {
  std::string line;
  const bool all = hdf5::is_utf8(text);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    line += byte >= ' ' && byte != 0x7f && (byte < 0x80 || all) ? c : '?';
  }
  return line;
}

/// What was asked for, behind what the run that it goes on with was asked for.
std::string command_line_of(const RunRequest& request, const Archive* resumed) {
  return (resumed != nullptr ? resumed->text("/provenance/command_line") + "; " : "") + storable(request.command_line);
}

/// The weights that the run, or the one that it goes on with, began with.
std::string begun_with(const RunRequest& request, const Archive* resumed) {
  if (resumed != nullptr) return resumed->has(stored::begun_with) ? resumed->text(stored::begun_with) : "";
  return request.weights.empty() ? "" : sha256_of_file(request.weights) + "  " + storable(request.weights);
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

/// The archive itself; an empty file, which some programs make to hold a name, may be replaced as well.
void check_output(const std::filesystem::path& out, bool goes_on, bool overwrite) {
  const auto refuse = [&](const std::string& problem) { throw Error(ErrorCode::usage, out.string() + problem); };
  require_writable(out);
  if (std::filesystem::is_directory(out.string() + ".prev"))
    refuse(".prev is a folder, where the generation before the last is kept; move it away, or name another --out");
  const bool exists = std::filesystem::exists(out);
  if (exists && !goes_on && !overwrite)
    refuse(" exists; go on with it by --resume, replace it by --overwrite, or name another --out");
  if (exists && overwrite && !is_archive_file(out) && std::filesystem::file_size(out) > 0)
    refuse(" is no archive of mixop, and --overwrite replaces archives alone; move it away, or name another --out");
  if (!exists && goes_on)
    refuse(" does not exist, so there is nothing to go on with; leave --resume or --continue out");
}

}  // namespace

void check_outputs(const RunRequest& request) {
  check_output(request.out, request.goes_on(), request.start == Start::overwrite);
  std::vector<NamedOutput> outputs = {{request.out, "--out"}};
  if (request.metrics.lines) outputs.push_back({*request.metrics.lines, "--metrics"});
  if (request.metrics.tensorboard) outputs.push_back({*request.metrics.tensorboard, "--tensorboard"});
  require_apart(outputs);
  if (request.metrics.lines) require_writable(*request.metrics.lines);
}

Config config_of(const RunRequest& request, const Application& application, const RunRules& rules,
                 const Archive* archive, std::vector<std::string>* notes) {
  const ConfigRequest asked_for = config_request(request, application, rules);
  const auto resolved = [&] {
    Config config = resolve_config(asked_for, application.catalog);
    BaselineText read = read_baseline(config.space.baseline, config.space.name, application.plugins);
    config.space.baseline = std::move(read.text);
    if (notes != nullptr) *notes = std::move(read.notes);
    return config;
  };
  if (archive == nullptr) return resolved();
  const Config archived = rules.archived_config(*archive, application.catalog);
  if (request.start == Start::more) return continued_config(asked_for, archived, *archive, application.catalog);
  return resumed_config(asked_for, archived, application.catalog, resolved);
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
        check_outputs(request);
        lock_.emplace(request.out);
        if (!request.goes_on()) return std::nullopt;
        return Archive::open(request.out);
      }()),
      config_(config_of(request, application, rules, resumed(), &notes_)),
      options_(options_of(config_)),
      data_(data_at_hand(request, config_, application, rules, options_, resumed())),
      texts_(texts_of(config_request(request, application, rules), config_, resumed())),
      provenance_{command_line_of(request, resumed()), now_utc(), device_of(config_.device).str(),
                  checked_digest(data_, resumed()), plugin_lines(application.plugins, resumed()),
                  begun_with(request, resumed())} {
  if (!resumed_) return;
  for (const std::string& line : changed_plugins(*resumed_, application.plugins))
    notes_.push_back(line + "; the same bits are not promised, and the archive keeps both digests");
}

std::vector<std::string> RunSetup::notes() const {
  std::vector<std::string> lines = notes_;
  if (!resumed_) return lines;
  for (std::string& line : inexact_changes(*resumed_, config_, provenance_.device)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace mixop
