#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "host/config/config.hpp"

namespace mixop {

/// A configuration in the making: the defaults, and over them one layer after the other, each checked as it comes.
class ConfigLayers {
 public:
  explicit ConfigLayers(const OptionCatalog& catalog, RunKind kind = RunKind::search);

  /// A parsed config file: nested objects, or dotted keys. "summary", "source", "command" and "preset" are not
  /// keys and are skipped.
  void add_object(const JsonValue& root, const std::string& file);
  /// "key=value"; lists also "key=+a,b" (append) and "key=-a" (remove).
  void add_set(const std::string& assignment);
  /// What all layers together say, with all options of the components that take part: their defaults, over those what
  /// a named strategy brings for its parts, over that the layers. What is said of another component is a usage
  /// error; what presets and files of searches say of one is left out, for they serve more than one strategy.
  Config config() const;

 private:
  struct Key {
    KeySpec spec;
    std::string component;  ///< empty for keys of the schema
    std::string option;
    JsonValue value;
    bool given = false;
    std::string where{};  ///< it was given last
    bool is_set = false;  ///< by --set
  };
  void add_options(Config& config) const;
  void add_brought_options(Config& config) const;
  void add_members(const JsonValue& object, const std::string& prefix, const std::string& file);
  Key* find(const std::string& key);
  bool is_section(const std::string& name) const;
  void refuse_key_of_other_kind(const std::string& key, const std::string& where) const;
  [[noreturn]] void unknown(const std::string& key, const std::string& where) const;
  /// The key's value; where no layer gives it, what the space at hand wants.
  JsonValue current(const Key& key) const;
  JsonValue edited_list(const Key& key, const std::string& text, const std::string& where) const;

  OptionCatalog catalog_;
  RunKind kind_;
  std::vector<Key> keys_;
  std::map<std::string, std::size_t> index_;
  std::map<std::string, std::string> seen_;  ///< of the file being added: key and where it was given
};

/// What a run of that kind on a space has where nothing else is said.
Config default_config(RunKind kind, const std::string& space, const OptionCatalog& catalog);

}  // namespace mixop
