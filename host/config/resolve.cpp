#include "host/config/resolve.hpp"

#include <algorithm>
#include <map>

#include "host/config/layers.hpp"
#include "host/files/named_files.hpp"
#include "host/text/nearest.hpp"
#include "host/text/plain_text.hpp"
#include "host/text/printable.hpp"
#include "host/text/table.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;
using Kind = JsonValue::Kind;

bool names_a_file(const std::string& source) {
  return source.find('/') != std::string::npos || fs::path(source).extension() == ".json";
}

std::map<std::string, fs::path> preset_files(const std::vector<fs::path>& folders) {
  return named_files(folders, "the folder of presets");
}

fs::path preset_file(const std::string& name, const std::vector<fs::path>& folders, const std::string& where) {
  const auto files = preset_files(folders);
  if (const auto found = files.find(name); found != files.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, file] : files) names.push_back(known);
  throw Error(ErrorCode::usage, where + "unknown preset '" + excerpt(name) + "'" + did_you_mean(name, names) +
                                    " (known: " + joined(names) + "); a file's name ends in .json or holds a '/'");
}

/// A reserved text beside the keys: "summary", "source", "command" or "preset"; empty where it is absent.
std::string reserved_text(const JsonValue& root, const std::string& key, const std::string& file) {
  const JsonValue* value = root.find(key);
  if (value == nullptr) return "";
  if (!value->is(Kind::text))
    throw Error(ErrorCode::usage,
                json_place(file, *value) + ": " + key + ": expected text, found " + value->describe());
  return value->text;
}

JsonValue read_source(const fs::path& path, const std::optional<std::string>& text = {}) {
  JsonValue root = text ? parse_json(*text, path.string(), ErrorCode::usage) : parse_json_file(path, ErrorCode::usage);
  for (const char* key : {"summary", "source", "preset"}) reserved_text(root, key, path.string());
  const std::string command = reserved_text(root, "command", path.string());
  if (command != "" && command != "search" && command != "train")
    throw Error(ErrorCode::usage, json_place(path.string(), *root.find("command")) +
                                      ": command: expected search or train, found '" + excerpt(command) + "'");
  return root;
}

/// A file that says which command it is for serves no other.
JsonValue read_source_for(const fs::path& path, RunKind kind, const std::optional<std::string>& text = {}) {
  JsonValue root = read_source(path, text);
  const std::string command = reserved_text(root, "command", path.string());
  if (command != "" && command != run_kind_name(kind))
    throw Error(ErrorCode::usage, json_place(path.string(), *root.find("command")) + ": '" + excerpt(path.stem().string()) +
                                      "' is for mixop " + command + ", not for mixop " + run_kind_name(kind) +
                                      "; mixop list presets says which preset is for which");
  return root;
}

void add_preset(ConfigLayers& layers, const fs::path& path, RunKind kind) {
  const JsonValue root = read_source_for(path, kind);
  if (const JsonValue* base = root.find("preset"))
    throw Error(ErrorCode::usage, json_place(path.string(), *base) + ": a preset cannot build on another preset");
  layers.add_object(root, path.string());
}

void add_file(ConfigLayers& layers, const fs::path& path, const ConfigRequest& request) {
  const JsonValue root = read_source_for(path, request.kind, request.text);
  if (const JsonValue* base = root.find("preset"))
    add_preset(layers, preset_file(base->text, request.preset_folders, json_place(path.string(), *base) + ": "),
               request.kind);
  layers.add_object(root, path.string());
}

bool names_space(const std::string& assignment) { return assignment.rfind("space.name=", 0) == 0; }

/// Whether the request names a file, by its form or because one of that name is there and no preset.
bool asks_for_file(const ConfigRequest& request) {
  std::error_code unknown;
  return names_a_file(request.preset_or_file) ||
         (preset_files(request.preset_folders).count(request.preset_or_file) == 0 &&
          fs::is_regular_file(request.preset_or_file, unknown));
}

/// The file that the request reads; empty where it reads none.
fs::path config_source(const ConfigRequest& request) {
  if (request.preset_or_file.empty()) return {};
  if (asks_for_file(request)) return request.preset_or_file;
  return preset_file(request.preset_or_file, request.preset_folders, "");
}

}  // namespace

void expect_described(const ConfigRequest& request) {
  if (request.kind != RunKind::search || !request.preset_or_file.empty() ||
      std::any_of(request.sets.begin(), request.sets.end(), names_space))
    return;
  std::vector<std::vector<std::string>> table;
  for (const PresetInfo& preset : list_presets(request.preset_folders))
    if (preset.command == run_kind_name(request.kind)) table.push_back({"", preset.name, preset.summary});
  std::string presets = table_text(table, {Align::left});
  presets.pop_back();
  throw Error(ErrorCode::usage,
              "a preset or a config file is expected, which says what to search, or --set space.name=S, which searches "
              "a space as it is by default; nothing was found. The presets:\n" +
                  presets);
}

std::string config_text(const ConfigRequest& request) {
  if (request.text) return *request.text;
  const fs::path source = config_source(request);
  return source.empty() ? "" : read_plain_text(source, ErrorCode::usage);
}

Config resolve_config(const ConfigRequest& request, const OptionCatalog& catalog) {
  ConfigLayers layers(catalog, request.kind);
  for (const std::string& assignment : request.defaults) layers.add_set(assignment);
  if (const fs::path source = config_source(request); !source.empty()) {
    if (asks_for_file(request))
      add_file(layers, source, request);
    else
      add_preset(layers, source, request.kind);
  }
  // The space first: what lists begin with is its own.
  for (const bool spaces : {true, false})
    for (const std::string& assignment : request.sets)
      if (names_space(assignment) == spaces) layers.add_set(assignment);
  return layers.config();
}

std::vector<PresetInfo> list_presets(const std::vector<fs::path>& folders) {
  std::vector<PresetInfo> presets;
  for (const auto& [name, path] : preset_files(folders)) {
    try {
      const JsonValue root = read_source(path);
      presets.push_back({name, reserved_text(root, "summary", path.string()),
                         reserved_text(root, "source", path.string()), reserved_text(root, "command", path.string())});
    } catch (const Error& error) {
      presets.push_back({name, "cannot be used: " + std::string(error.what()), "", ""});
    }
  }
  return presets;
}

}  // namespace mixop
