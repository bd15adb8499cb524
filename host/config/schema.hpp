#pragma once

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/config/parts.hpp"
#include "host/json/json.hpp"
#include "mixop/abi/dataset.h"
#include "mixop/abi/option.h"
#include "mixop/space.hpp"

namespace mixop {

/// What a configuration knows of the loaded plugins.
struct OptionCatalog {
  std::map<std::string, std::vector<MixopOptionSpec>> components = {};  ///< the options of those that have some, by name
  std::map<std::string, std::vector<MixopOptionSpec>> operators = {};   ///< the same, of operators: not keys, but in their names
  std::map<std::string, NamedStrategy> strategies = {};                 ///< by name
  std::map<std::string, std::map<std::string, std::string>> spaces = {};  ///< their default_keys(), by name
};

/// What a configuration is for: `mixop search` or `mixop train`. Each has keys and defaults of its own.
enum class RunKind { search, train };

/// "search" or "train", as the command is called.
const char* run_kind_name(RunKind kind);

enum class KeyType { boolean, integer, real, text, list, reals };

/// "boolean", "integer", "real", "text", "list" or "reals".
const char* type_name(KeyType type);

/// One key of the configuration: all that validation, messages, `--help` and docs/config.md know of it.
struct KeySpec {
  std::string key;  ///< "space.channels"
  KeyType type = KeyType::text;
  std::string help;
  double least = std::numeric_limits<double>::lowest();  ///< of a number; of a list, how many items at least
  double most = std::numeric_limits<double>::max();
  bool below_most = false;                ///< the range leaves `most` itself out
  std::vector<std::string> choices = {};  ///< allowed texts; empty allows any
  std::size_t count = 0;                  ///< how many numbers `reals` hold
  std::string default_text = {};          ///< as `--set` would write it
  std::optional<RunKind> only = {};       ///< the one command that reads it; none: both do
  std::optional<std::int32_t> data = {};  ///< MIXOP_DATA_IMAGES or MIXOP_DATA_TEXT, which alone it means something to
};

/// The keys that every configuration of a kind has, section by section, with their defaults.
const std::vector<KeySpec>& config_keys(RunKind kind = RunKind::search);

/// The key "<component>.<option>" of an option that a component declares.
KeySpec option_key(const std::string& component, const MixopOptionSpec& option);

/// What a space wants, by key and as `--set` writes it. A key that is none, or a value that it does not allow, is the
/// fault of the plugin.
std::map<std::string, std::string> default_keys(const SpaceDefaults& defaults, const std::string& space);

/// config_keys() and the options of the catalogue.
std::vector<KeySpec> all_keys(const OptionCatalog& catalog, RunKind kind = RunKind::search);

/// "a whole number from 1 to 4096", "one of auto, cifar, imagenet".
std::string allowed_values(const KeySpec& spec);

/// Throws a usage error that begins with `where` unless `value` has the key's type and lies in its range.
void check_value(const KeySpec& spec, const JsonValue& value, const std::string& where);

/// The value that a text such as `--set key=TEXT` means, checked. Lists are comma-separated.
JsonValue value_from_text(const KeySpec& spec, std::string_view text, const std::string& where);

/// The text of a checked value; value_from_text reads it back.
std::string text_of_value(const KeySpec& spec, const JsonValue& value);

/// A line for each key of the configuration and of the catalogue: key, allowed values, default and meaning.
std::string describe_keys(const OptionCatalog& catalog, RunKind kind = RunKind::search);

}  // namespace mixop
