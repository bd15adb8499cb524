#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/archive/file.hpp"
#include "host/cli/command_line.hpp"
#include "host/config/resolve.hpp"
#include "host/data/dataset_handle.hpp"
#include "host/search/composition.hpp"
#include "host/search/stored_parts.hpp"

namespace mixop::cli {

/// What the config sets of the components' options.
ComponentOptions options_of(const Config& config);

/// The data set that the config names, from data.dir, else from the environment's MIXOP_DATA.
DatasetHandle open_data(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options);

/// Whether the command line goes on with an archive: --resume, or a training's --continue.
bool goes_on(const po::variables_map& values);

/// Refuses an output that cannot be written, before anything is computed for it.
void check_output(const std::filesystem::path& out, bool resume, bool overwrite);

/// A command that runs a loop over epochs into an archive.
struct RunCommand {
  RunKind kind;
  const char* out;      ///< the archive where --out names none: "run.h5"
  const char* archive;  ///< "RUN.h5", for --help
  /// The config of an archive, which it checks.
  Config (*archived_config)(const Archive& archive, const OptionCatalog& catalog);
  std::vector<std::string> defaults = {};  ///< see ConfigRequest
};

/// The options of such a command: --set, --seed, --data, --out, --resume, --overwrite, --dry-run, --keys, --json, and
/// those of metrics and plugins. Further ones may be added before.
void add_run_options(CommandSyntax& syntax, const RunCommand& command);

/// Prints the keys where --keys asks for them.
bool print_keys(const po::variables_map& values, const OptionCatalog& catalog, RunKind kind);

/// The config to run. A resumed run has the archive's own, which the command line must not contradict; only --data may
/// name another folder, for data that moved. A continued training has more epochs, and may change its optimiser.
Config config_of(const po::variables_map& values, const OptionCatalog& catalog, const RunCommand& command,
                 const Archive* archive);

/// The config and data of a run that is still to begin. Every --set must mean something to the data.
struct RunInputs {
  RunInputs(const po::variables_map& values, const PluginRegistry& plugins, const OptionCatalog& catalog,
            const RunCommand& command);

  Config config;
  DatasetHandle data;
};

/// The config and data of a --dry-run, those of the archive where it goes on with one. Where the data is not there it
/// is absent, and stderr says why.
struct DryRun {
  DryRun(const po::variables_map& values, const PluginRegistry& plugins, const OptionCatalog& catalog,
         const RunCommand& command);

  std::optional<Archive> archive;
  Config config;
  ComponentOptions options;
  std::optional<DatasetHandle> data;
};

/// Says what predict_peak_memory() answered and what is not in it: `left_out`, which ends with a comma, and more.
void say_memory(std::int64_t bytes, const std::string& left_out = "");

/// All that a run has before its loop is made. Its output is locked as long as it lives.
class RunSetup {
 public:
  RunSetup(const po::variables_map& values, const Arguments& arguments, const PluginRegistry& plugins,
           const OptionCatalog& catalog, const RunCommand& command);

  const std::filesystem::path& out() const { return out_; }
  /// The archive that the run goes on with, or null.
  const Archive* resumed() const { return resumed_ ? &*resumed_ : nullptr; }
  const Config& config() const { return config_; }
  const ComponentOptions& options() const { return options_; }
  const DatasetHandle& data() const { return data_; }
  const ConfigTexts& texts() const { return texts_; }
  const Provenance& provenance() const { return provenance_; }

 private:
  std::filesystem::path out_;
  std::optional<ArchiveLock> lock_;
  std::optional<Archive> resumed_;
  Config config_;
  ComponentOptions options_;
  DatasetHandle data_;
  ConfigTexts texts_;
  Provenance provenance_;
};

}  // namespace mixop::cli
