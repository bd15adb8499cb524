#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/schema.hpp"
#include "mixop/space.hpp"

namespace mixop {

struct DataConfig {
  std::string name = "cifar10";
  std::string dir;
  std::int64_t train_limit = 0;
  double train_portion = 0.5;
  std::int64_t cutout = 0;
  bool augment = true;
  std::string policy = "none";
  std::int64_t workers = -1;
  std::int64_t bptt = 35;
  friend bool operator==(const DataConfig&, const DataConfig&) = default;
};

struct SpaceKeys : SpaceSizes {
  SpaceKeys() {
    operations = {"none",         "max_pool_3x3", "avg_pool_3x3", "skip_connect",
                  "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"};
  }
  std::string name = "darts_cnn";
  std::string baseline;
  double alpha_init = 0.001;
  friend bool operator==(const SpaceKeys&, const SpaceKeys&) = default;
};

struct SearchConfig {
  std::int64_t epochs = 50;
  std::int64_t pretrain_epochs = 0;
  std::int64_t batch = 64;
  std::string strategy = "first_order";
  friend bool operator==(const SearchConfig&, const SearchConfig&) = default;
};

struct TrainConfig {
  std::int64_t epochs = 600;
  std::int64_t batch = 96;
  double auxiliary = 0.4;
  double drop_path = 0.2;
  double label_smoothing = 0;
  std::string keep = "last";
  std::int64_t nonmono = 0;
  std::int64_t rollbacks = 0;
  friend bool operator==(const TrainConfig&, const TrainConfig&) = default;
};

struct WeightsConfig {
  double lr = 0.025;
  std::string schedule = "cosine";
  double lr_min = 0.001;
  double gamma = 0.97;
  std::int64_t warmup = 0;
  double momentum = 0.9;
  double decay = 3e-4;
  double clip = 5;
  friend bool operator==(const WeightsConfig&, const WeightsConfig&) = default;
};

struct AlphasConfig {
  double lr = 3e-4;
  std::string schedule = "constant";
  double lr_min = 0;
  std::vector<double> betas = {0.5, 0.999};
  double decay = 1e-3;
  friend bool operator==(const AlphasConfig&, const AlphasConfig&) = default;
};

/// The value of a component's option, in the text form that components read.
struct ComponentOption {
  KeyType type = KeyType::text;
  std::string text;
  friend bool operator==(const ComponentOption&, const ComponentOption&) = default;
};

/// A whole, checked configuration. What the keys mean is in config_keys(); the defaults here are those of a search.
struct Config {
  RunKind kind = RunKind::search;
  std::int64_t seed = 2;
  std::int64_t threads = 0;
  std::string device = "auto";
  std::string precision = "float32";
  std::string execution = "fused";
  DataConfig data;
  SpaceKeys space;
  SearchConfig search;
  TrainConfig train;
  WeightsConfig weights;
  AlphasConfig alphas;
  SlotNames strategy;
  std::map<std::string, std::map<std::string, ComponentOption>> options;  ///< by component and name: all of those in use
  friend bool operator==(const Config&, const Config&) = default;
};

/// The strategies of a search, epoch by epoch.
StrategySchedule strategies_of(const Config& config);

/// The components that take part: in a search those of its strategies, too, as the catalog knows them.
std::set<std::string> components_of(const Config& config, const OptionCatalog& catalog);

/// The defaults of a kind: for a training those of the published networks on CIFAR-10.
Config default_config(RunKind kind);

/// Pretty JSON of the keys that the configuration's kind has, in the order of the schema, as `--dry-run` prints it and
/// the archive stores it.
std::string to_json(const Config& config);

/// The JSON that to_json wrote (or any config file without a preset), over the defaults. `file` names it in errors,
/// which have `code`: an archive's config is data, what a user wrote is usage.
Config config_from_json(std::string_view text, const std::string& file, const OptionCatalog& catalog,
                        ErrorCode code = ErrorCode::bad_data, RunKind kind = RunKind::search);

}  // namespace mixop
