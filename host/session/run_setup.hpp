#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/archive/file.hpp"
#include "host/search/stored_parts.hpp"
#include "host/session/application.hpp"
#include "host/session/request.hpp"

namespace mixop {

/// What searches and trainings differ in before their loops are made.
struct RunRules {
  /// The config of an archive, which it checks.
  Config (*archived_config)(const Archive& archive, const OptionCatalog& catalog);
  std::vector<std::string> defaults = {};  ///< see ConfigRequest
};

/// Refuses outputs that cannot be written or are in each other's way, before anything is computed for them.
void check_outputs(const RunRequest& request);

/// The config to run; that of a run that goes on as resumed_config() and continued_config() say.
/// `notes` becomes what of its genotypes was ignored or chosen.
Config config_of(const RunRequest& request, const Application& application, const RunRules& rules,
                 const Archive* archive, std::vector<std::string>* notes = nullptr);

/// The config and data of a run that is still to begin. Every assignment must mean something to the data.
struct RunInputs {
  RunInputs(const RunRequest& request, const Application& application, const RunRules& rules);

  Config config;
  ComponentOptions options;
  DatasetHandle data;
};

/// The config and data of a run that is only described, those of the archive where it goes on with one. Where the data
/// is not there it is absent, and `data_missing` says why.
struct PlannedRun {
  PlannedRun(const RunRequest& request, const Application& application, const RunRules& rules);

  std::optional<Archive> archive;
  Config config;
  ComponentOptions options;
  std::optional<DatasetHandle> data;
  std::string data_missing;
};

/// What a run would be.
struct RunForecast {
  Config config;
  std::optional<std::int64_t> peak_memory;  ///< bytes; see predict_peak_memory()
  std::string data_missing;                 ///< why the memory is not predicted
};

/// All that a run has before its loop is made. Its output is locked as long as it lives.
class RunSetup {
 public:
  RunSetup(const RunRequest& request, const Application& application, const RunRules& rules);

  const RunRequest& request() const { return request_; }
  /// The archive that the run goes on with, or null.
  const Archive* resumed() const { return resumed_ ? &*resumed_ : nullptr; }
  const Config& config() const { return config_; }
  const ComponentOptions& options() const { return options_; }
  const DatasetHandle& data() const { return data_; }
  const ConfigTexts& texts() const { return texts_; }
  const Provenance& provenance() const { return provenance_; }
  /// Lines for people, once the run's network is made: what of the baseline was ignored or chosen, and what is other
  /// than the archive was written with.
  std::vector<std::string> notes() const;

 private:
  RunRequest request_;
  std::optional<ArchiveLock> lock_;
  std::optional<Archive> resumed_;
  std::vector<std::string> notes_;  // before the config, which fills it
  Config config_;
  ComponentOptions options_;
  DatasetHandle data_;
  ConfigTexts texts_;
  Provenance provenance_;
};

}  // namespace mixop
