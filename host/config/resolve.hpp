#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/config/config.hpp"

namespace mixop {

/// Where a configuration comes from: defaults < preset < file < sets.
struct ConfigRequest {
  std::string preset_or_file;              ///< a file where it holds a '/', ends in ".json" or is one and no preset; empty: defaults only
  std::vector<std::string> sets;           ///< "key=value", in order; lists also "key=+a,b" and "key=-a"
  std::vector<std::filesystem::path> preset_folders;  ///< hold NAME.json for every preset
  RunKind kind = RunKind::search;          ///< files and presets for the other command are refused
  std::vector<std::string> defaults = {};  ///< "key=value", over the built-in defaults
  std::optional<std::string> text = {};    ///< what the file holds, where it can be read only once
};

/// The configuration that the request means. Every problem is a usage error that names the place and the key.
Config resolve_config(const ConfigRequest& request, const OptionCatalog& catalog);

/// Refuses a search of which nothing says what to search, with the presets for it, a line each: no preset, no file and no
/// space, whose defaults would make it one. A training's genotype says what to train.
void expect_described(const ConfigRequest& request);

/// The text of the preset or file that the request reads, for keeping it verbatim; empty where it reads none.
std::string config_text(const ConfigRequest& request);

struct PresetInfo {
  std::string name;
  std::string summary;  ///< one sentence
  std::string source;   ///< paper or address; may be empty
  std::string command;  ///< "search" or "train"; empty where the file does not say
};

/// The presets of all folders, by name: regular files that not everybody may write. Of two of one name that of the folder
/// named first is meant. The summary of one that cannot be used says why.
std::vector<PresetInfo> list_presets(const std::vector<std::filesystem::path>& folders);

}  // namespace mixop
